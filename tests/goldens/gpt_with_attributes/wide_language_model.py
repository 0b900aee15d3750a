"""`WideLanguageModel`: a causal language model."""

import numbers

import keras
import numpy as np
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(
    package="golden", name="WideLanguageModel.TokenAndPositionEmbedding"
)
class TokenAndPositionEmbedding(keras.layers.Layer):
    """Token embedding plus a learned position embedding."""

    def __init__(self, vocabulary_size, sequence_length, hidden_dim, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.sequence_length = sequence_length
        self.hidden_dim = hidden_dim
        self.token_embedding = keras.layers.Embedding(
            vocabulary_size,
            hidden_dim,
            keras.initializers.RandomNormal(stddev=0.02),
            dtype=self.dtype_policy,
            name="token_embedding",
        )
        self.position_embedding = keras.layers.Embedding(
            sequence_length,
            hidden_dim,
            keras.initializers.RandomNormal(stddev=0.02),
            dtype=self.dtype_policy,
            name="position_embedding",
        )

    def build(self, input_shape):
        self.token_embedding.build(input_shape)
        self.position_embedding.build(input_shape)

    def call(self, inputs, start=0):
        steps = inputs.shape[1]
        if steps is not None and start + steps > self.sequence_length:
            raise ValueError(
                "There must be at most `sequence_length` tokens. "
                f"Received: start={start}, {steps} tokens, "
                f"sequence_length={self.sequence_length}"
            )
        positions = ops.arange(ops.shape(inputs)[1], dtype="int32") + start
        return self.token_embedding(inputs) + self.position_embedding(positions)

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.hidden_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "sequence_length": self.sequence_length,
            "hidden_dim": self.hidden_dim,
        }


@keras.saving.register_keras_serializable(
    package="golden", name="WideLanguageModel.CausalBlock"
)
class CausalBlock(keras.layers.Layer):
    """Causal self-attention and a feed-forward network, each added to its input."""

    def __init__(self, hidden_dim, num_heads, intermediate_dim, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.dropout = dropout
        self.attention_norm = self._norm("attention_norm")
        self.attention = keras.layers.MultiHeadAttention(
            num_heads,
            hidden_dim // num_heads,
            dropout=dropout,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
            dtype=self.dtype_policy,
            name="attention",
        )
        self.feed_forward_norm = self._norm("feed_forward_norm")
        self.intermediate_dense = keras.layers.Dense(
            intermediate_dim,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
            dtype=self.dtype_policy,
            name="intermediate_dense",
        )
        self.output_dense = keras.layers.Dense(
            hidden_dim,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
            dtype=self.dtype_policy,
            name="output_dense",
        )
        self.attention_dropout = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="attention_dropout"
        )
        self.feed_forward_dropout = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="feed_forward_dropout"
        )

    def _norm(self, name):
        return keras.layers.LayerNormalization(
            epsilon=1e-5, dtype=self.dtype_policy, name=name
        )

    def build(self, input_shape):
        self.attention_norm.build(input_shape)
        self.attention.build(input_shape, input_shape)
        self.feed_forward_norm.build(input_shape)
        self.intermediate_dense.build(input_shape)
        self.output_dense.build((*input_shape[:-1], self.intermediate_dim))

    def call(self, inputs, cache=None, start=0, training=None):
        x = self.attention_norm(inputs)
        if cache is None:
            x = self.attention(x, x, use_causal_mask=True, training=training)
        else:
            x, cache = self._attend(x, cache, start)
        x = inputs + self.attention_dropout(x, training=training)
        y = self.intermediate_dense(self.feed_forward_norm(x))
        y = ops.gelu(y, approximate=True)
        y = self.feed_forward_dropout(self.output_dense(y), training=training)
        return x + y if cache is None else (x + y, cache)

    def _attend(self, x, cache, start):
        """Add the keys and values of `x` to `cache`, and attend to all of it."""
        if start + x.shape[1] > cache.shape[2]:
            raise ValueError(
                "There must be room for all tokens in `cache`. Received: "
                f"start={start}, {x.shape[1]} tokens, a cache of {cache.shape[2]} steps"
            )
        new = ops.stack(
            [self.attention.key_dense(x), self.attention.value_dense(x)], axis=1
        )
        cache = ops.slice_update(cache, (0, 0, start, 0, 0), ops.stop_gradient(new))
        steps = start + ops.arange(ops.shape(x)[1])
        seen = ops.arange(ops.shape(cache)[2]) <= steps[:, None]
        x = ops.dot_product_attention(
            self.attention.query_dense(x),
            cache[:, 0],
            cache[:, 1],
            mask=seen[None, None],
        )
        return self.attention.output_dense(x), cache

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "dropout": self.dropout,
        }


@keras.saving.register_keras_serializable(package="golden")
class WideLanguageModel(keras.Model):
    """Causal language model: predicts the next token at each position.

    The architecture of GPT-2: `x` is the sum of token and position embeddings. Each
    block is `x = x + attention(norm(x))`, with causal attention, then
    `x + dense(gelu(dense(norm(x))))`, with the tanh approximation of GELU. A
    normalization follows the last block. The output layer is tied to the token
    embedding: the logits are dot products with the token embeddings. Embeddings and
    kernels are initialized with a standard deviation of 0.02.

    GPT-2 small has 124,439,808 parameters: `vocabulary_size=50257`, `hidden_dim=768`,
    `num_layers=12`, `num_heads=12`, `intermediate_dim=3072`.

    `generate` continues a prompt, one token at a time. `cache`, at first from
    `make_cache`, holds the keys and values of the tokens before the int `start`, the
    position of the first of the `inputs`. The call then returns the logits and the
    updated cache. Caches are for inference only, and do not work with symbolic inputs.

    Args:
        vocabulary_size: Positive int, size of the vocabulary. Defaults to `1000`.
        sequence_length: Positive int, maximum number of tokens. Defaults to `1024`.
        hidden_dim: Positive multiple of `num_heads`, size of the token embeddings.
            Defaults to `128`.
        num_layers: Positive int, number of blocks. Defaults to `2`.
        num_heads: Positive int, number of attention heads. Defaults to `8`.
        intermediate_dim: Positive int, units of the first dense layer of the
            feed-forward networks. Defaults to `256`.
        dropout: Float in `[0, 1)`, dropout rate of the embeddings, of the attention
            weights and of the outputs of each residual branch. Defaults to `0.2`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, steps)`, ints from 0 to `vocabulary_size - 1`.

    Output shape:
        `(batch, steps, vocabulary_size)`, the logits; with a cache, a tuple of the
        logits and the cache.

    Raises:
        TypeError: If `label` has the wrong type.
        ValueError: If an argument is invalid, or there are more tokens than
            `sequence_length` or the cache allows.

    Example:

    >>> model = WideLanguageModel(vocabulary_size=256, hidden_dim=16)
    >>> tuple(model(keras.ops.ones((2, 6), "int32")).shape)
    (2, 6, 256)

    >>> model.generate([[72, 101]], max_new_tokens=3).shape
    (1, 5)

    Reference:
        [Radford et al.,
        2019](https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf)
    """

    def __init__(
        self,
        vocabulary_size=1000,
        sequence_length=1024,
        hidden_dim=128,
        num_layers=2,
        num_heads=8,
        intermediate_dim=256,
        dropout=0.2,
        gain=1.0,
        label="mine",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(vocabulary_size) or vocabulary_size <= 0:
            raise ValueError(
                "`vocabulary_size` must be a positive int. "
                f"Received: vocabulary_size={vocabulary_size!r}"
            )
        if not is_int(sequence_length) or sequence_length <= 0:
            raise ValueError(
                "`sequence_length` must be a positive int. "
                f"Received: sequence_length={sequence_length!r}"
            )
        if not is_int(num_layers) or num_layers <= 0:
            raise ValueError(
                "`num_layers` must be a positive int. "
                f"Received: num_layers={num_layers!r}"
            )
        if not is_int(num_heads) or num_heads <= 0:
            raise ValueError(
                f"`num_heads` must be a positive int. Received: num_heads={num_heads!r}"
            )
        if not is_int(intermediate_dim) or intermediate_dim <= 0:
            raise ValueError(
                "`intermediate_dim` must be a positive int. "
                f"Received: intermediate_dim={intermediate_dim!r}"
            )
        if not isinstance(dropout, numbers.Real) or not 0 <= dropout < 1:
            raise ValueError(
                "`dropout` must be a float in the range [0, 1). "
                f"Received: dropout={dropout!r}"
            )
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
        if not is_int(hidden_dim) or hidden_dim <= 0 or hidden_dim % num_heads:
            raise ValueError(
                "`hidden_dim` must be a positive multiple of `num_heads`. "
                f"Received: hidden_dim={hidden_dim!r}, num_heads={num_heads}"
            )
        self.vocabulary_size = vocabulary_size
        self.sequence_length = sequence_length
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.dropout = float(dropout)
        self.gain = float(gain)
        self.label = label
        self.embedding = TokenAndPositionEmbedding(
            vocabulary_size,
            sequence_length,
            hidden_dim,
            dtype=self.dtype_policy,
            name="embedding",
        )
        self.embedding_dropout = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="embedding_dropout"
        )
        self.blocks = [
            CausalBlock(
                hidden_dim,
                num_heads,
                intermediate_dim,
                dropout,
                dtype=self.dtype_policy,
                name=f"block_{i}",
            )
            for i in range(num_layers)
        ]
        self.norm = keras.layers.LayerNormalization(
            epsilon=1e-5, dtype=self.dtype_policy, name="norm"
        )

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(keras.Input(batch_shape=input_shape, dtype="int32"))

    def call(self, inputs, cache=None, start=0, training=None):
        # TODO: use `self.gain` and `self.label`: they have no effect yet.
        x = self.embedding(inputs, start=start)
        x = self.embedding_dropout(x, training=training)
        grown = []
        for i, block in enumerate(self.blocks):
            if cache is None:
                x = block(x, training=training)
            else:
                x, keys_and_values = block(
                    x, cache=cache[i], start=start, training=training
                )
                grown.append(keys_and_values)
        logits = ops.matmul(
            self.norm(x), ops.transpose(self.embedding.token_embedding.embeddings)
        )
        return logits if cache is None else (logits, grown)

    def make_cache(self, batch_size, steps):
        """Return an empty cache for `steps` tokens."""
        shape = (
            batch_size,
            2,
            steps,
            self.num_heads,
            self.hidden_dim // self.num_heads,
        )
        return [ops.zeros(shape, dtype=self.compute_dtype) for _ in self.blocks]

    def generate(
        self,
        prompt,
        max_new_tokens,
        temperature=0.0,
        top_k=None,
        seed=None,
        use_cache=True,
    ):
        """Continue a prompt, one token at a time.

        Args:
            prompt: Ints of shape `(batch, steps)`.
            max_new_tokens: Int, number of tokens to generate.
            temperature: Float. 0 picks the most likely token, 1 samples from the
                model's probabilities; higher values make them more uniform.
            top_k: Int, number of most likely tokens to sample from, or `None` for all.
            seed: Int, for reproducible samples, or `None`.
            use_cache: Bool, whether to cache the keys and values of earlier tokens
                rather than recompute them. The tokens are the same.

        Returns:
            The prompt and the new tokens, a NumPy array of ints of shape
            `(batch, steps + max_new_tokens)`.
        """
        tokens = np.asarray(prompt, "int32")
        if tokens.ndim != 2:
            raise ValueError(
                "`prompt` must have the shape `(batch, steps)`. "
                f"Received: prompt of shape {tokens.shape}"
            )
        if not isinstance(max_new_tokens, int) or max_new_tokens < 0:
            raise ValueError(
                "`max_new_tokens` must be a non-negative int. "
                f"Received: max_new_tokens={max_new_tokens!r}"
            )
        if not temperature >= 0:
            raise ValueError(
                "`temperature` must be at least 0. "
                f"Received: temperature={temperature!r}"
            )
        if top_k is not None and top_k not in range(1, self.vocabulary_size + 1):
            raise ValueError(
                "`top_k` must be an int from 1 to `vocabulary_size`, or None. "
                f"Received: top_k={top_k!r}, vocabulary_size={self.vocabulary_size}"
            )
        first, last = tokens.shape[1], tokens.shape[1] + max_new_tokens
        if first == 0 or last > self.sequence_length:
            raise ValueError(
                "There must be from 1 to `sequence_length` tokens in total. Received: "
                f"{first} in the prompt, max_new_tokens={max_new_tokens}, "
                f"sequence_length={self.sequence_length}"
            )
        tokens = np.pad(tokens, ((0, 0), (0, max_new_tokens)))
        draws = keras.random.SeedGenerator(seed)
        cache, known = self.make_cache(len(tokens), last) if use_cache else None, 0
        for step in range(first, last):
            if use_cache:
                logits, cache = self(tokens[:, known:step], cache=cache, start=known)
                logits, known = logits[:, -1], step
            else:
                # Later tokens do not affect earlier ones.
                logits = self(tokens)[:, step - 1]
            chosen = self._choose(logits, temperature, top_k, draws)
            tokens[:, step] = ops.convert_to_numpy(chosen)
        return tokens

    def _choose(self, logits, temperature, top_k, draws):
        logits = ops.cast(logits, "float32")
        if temperature == 0:
            return ops.argmax(logits, axis=-1)
        if top_k is not None:
            least = ops.top_k(logits, top_k)[0][:, -1:]
            logits = ops.where(logits < least, -1e9, logits)
        return keras.random.categorical(logits / temperature, 1, seed=draws)[:, 0]

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.vocabulary_size)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile the model with a suitable optimizer, loss and metrics.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate),
                "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                "metrics": ["accuracy"],
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "sequence_length": self.sequence_length,
            "hidden_dim": self.hidden_dim,
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "dropout": self.dropout,
            "gain": self.gain,
            "label": self.label,
        }
