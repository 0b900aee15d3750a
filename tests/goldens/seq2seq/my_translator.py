"""`MyTranslator`: a sequence-to-sequence Transformer."""

import numbers

import keras
import numpy as np
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


# Special tokens.
START, END = 1, 2


@keras.saving.register_keras_serializable(
    package="golden", name="MyTranslator.TokenAndPositionEmbedding"
)
class TokenAndPositionEmbedding(keras.layers.Layer):
    """Token embedding plus a learned position embedding; token 0 is padding."""

    def __init__(self, vocabulary_size, sequence_length, hidden_dim, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.sequence_length = sequence_length
        self.hidden_dim = hidden_dim
        self.token_embedding = keras.layers.Embedding(
            vocabulary_size, hidden_dim, dtype=self.dtype_policy, name="token_embedding"
        )
        self.position_embedding = keras.layers.Embedding(
            sequence_length,
            hidden_dim,
            dtype=self.dtype_policy,
            name="position_embedding",
        )

    def build(self, input_shape):
        self.token_embedding.build(input_shape)
        self.position_embedding.build(input_shape)

    def call(self, inputs):
        steps = inputs.shape[1]
        if steps is not None and steps > self.sequence_length:
            raise ValueError(
                "There must be at most `sequence_length` tokens. "
                f"Received: {steps} tokens, sequence_length={self.sequence_length}"
            )
        positions = ops.arange(ops.shape(inputs)[1], dtype="int32")
        return self.token_embedding(inputs) + self.position_embedding(positions)

    def compute_mask(self, inputs, mask=None):
        del mask  # The mask depends only on the inputs.
        return ops.not_equal(inputs, 0)

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
    package="golden", name="MyTranslator.EncoderBlock"
)
class EncoderBlock(keras.layers.Layer):
    """Self-attention and a feed-forward network, each added to its input."""

    def __init__(self, hidden_dim, num_heads, intermediate_dim, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.dropout = dropout
        self.supports_masking = True
        self.attention_norm = self._norm("attention_norm")
        self.attention = keras.layers.MultiHeadAttention(
            num_heads,
            hidden_dim // num_heads,
            dropout=dropout,
            dtype=self.dtype_policy,
            name="attention",
        )
        self.feed_forward_norm = self._norm("feed_forward_norm")
        self.intermediate_dense = keras.layers.Dense(
            intermediate_dim,
            activation="gelu",
            dtype=self.dtype_policy,
            name="intermediate_dense",
        )
        self.output_dense = keras.layers.Dense(
            hidden_dim, dtype=self.dtype_policy, name="output_dense"
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

    def call(self, inputs, mask=None, training=None):
        x = self.attention_norm(inputs)
        x = self.attention(x, x, value_mask=mask, training=training)
        x = inputs + self.attention_dropout(x, training=training)
        y = self.intermediate_dense(self.feed_forward_norm(x))
        y = self.feed_forward_dropout(self.output_dense(y), training=training)
        return x + y

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


@keras.saving.register_keras_serializable(
    package="golden", name="MyTranslator.DecoderBlock"
)
class DecoderBlock(keras.layers.Layer):
    """Self- and cross-attention and a feed-forward network, each added to its input."""

    def __init__(self, hidden_dim, num_heads, intermediate_dim, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.dropout = dropout
        self.supports_masking = True
        self.attention_norm = self._norm("attention_norm")
        self.attention = self._attention("attention")
        self.cross_attention_norm = self._norm("cross_attention_norm")
        self.cross_attention = self._attention("cross_attention")
        self.feed_forward_norm = self._norm("feed_forward_norm")
        self.intermediate_dense = keras.layers.Dense(
            intermediate_dim,
            activation="gelu",
            dtype=self.dtype_policy,
            name="intermediate_dense",
        )
        self.output_dense = keras.layers.Dense(
            hidden_dim, dtype=self.dtype_policy, name="output_dense"
        )
        self.attention_dropout = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="attention_dropout"
        )
        self.cross_attention_dropout = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="cross_attention_dropout"
        )
        self.feed_forward_dropout = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="feed_forward_dropout"
        )

    def _norm(self, name):
        return keras.layers.LayerNormalization(
            epsilon=1e-5, dtype=self.dtype_policy, name=name
        )

    def _attention(self, name):
        return keras.layers.MultiHeadAttention(
            self.num_heads,
            self.hidden_dim // self.num_heads,
            dropout=self.dropout,
            dtype=self.dtype_policy,
            name=name,
        )

    def build(self, inputs_shape, encoded_shape):
        self.attention_norm.build(inputs_shape)
        self.attention.build(inputs_shape, inputs_shape)
        self.cross_attention_norm.build(inputs_shape)
        self.cross_attention.build(inputs_shape, encoded_shape)
        self.feed_forward_norm.build(inputs_shape)
        self.intermediate_dense.build(inputs_shape)
        self.output_dense.build((*inputs_shape[:-1], self.intermediate_dim))

    def call(self, inputs, encoded, inputs_mask=None, encoded_mask=None, training=None):
        x = self.attention_norm(inputs)
        x = self.attention(
            x, x, value_mask=inputs_mask, use_causal_mask=True, training=training
        )
        x = inputs + self.attention_dropout(x, training=training)
        # A copy, since the attention removes the mask from its inputs.
        y = self.cross_attention(
            self.cross_attention_norm(x),
            ops.copy(encoded),
            value_mask=encoded_mask,
            training=training,
        )
        x = x + self.cross_attention_dropout(y, training=training)
        y = self.intermediate_dense(self.feed_forward_norm(x))
        y = self.feed_forward_dropout(self.output_dense(y), training=training)
        return x + y

    def compute_output_shape(self, inputs_shape, encoded_shape):
        del encoded_shape  # The outputs have the shape of the inputs.
        return inputs_shape

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "dropout": self.dropout,
        }


@keras.saving.register_keras_serializable(package="golden")
class MyTranslator(keras.Model):
    """Sequence-to-sequence Transformer: maps one sequence of tokens to another.

    The encoder's blocks are `x = x + attention(norm(x))`, then
    `x + dense(gelu(dense(norm(x))))`. The decoder's blocks attend to the previous
    target tokens, then to the encoder's outputs. The encoder and the decoder each end
    with a normalization.

    Token 0 is padding, which the attention and the loss ignore. For training, `target`
    is the output sequence preceded by token 1, and the labels are the output sequence
    followed by token 2.

    Args:
        source_vocabulary_size: Positive int, size of the source vocabulary, including
            token 0.
        target_vocabulary_size: Int greater than 2, size of the target vocabulary,
            including tokens 0, 1 and 2.
        sequence_length: Positive int, maximum number of tokens of either sequence.
            Defaults to `128`.
        hidden_dim: Positive multiple of `num_heads`, size of the token embeddings.
            Defaults to `64`.
        num_layers: Positive int, number of blocks of the encoder and of the decoder.
            Defaults to `1`.
        num_heads: Positive int, number of attention heads. Defaults to `4`.
        intermediate_dim: Positive int, units of the first dense layer of the
            feed-forward networks. Defaults to `128`.
        dropout: Float in `[0, 1)`, dropout rate of the embeddings, of the attention
            weights and of the outputs of each residual branch. Defaults to `0.1`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        A dict of ints: `source` of shape `(batch, source_steps)` and `target` of shape
        `(batch, target_steps)`.

    Output shape:
        `(batch, target_steps, target_vocabulary_size)`, logits of the next token at
        each step.

    Raises:
        ValueError: If an argument is invalid, or there are more than `sequence_length`
            tokens.

    Example:

    >>> model = MyTranslator(source_vocabulary_size=30, target_vocabulary_size=20)
    >>> source = keras.ops.ones((2, 6), "int32")
    >>> target = keras.ops.ones((2, 4), "int32")
    >>> tuple(model({"source": source, "target": target}).shape)
    (2, 4, 20)
    >>> model.generate(source, max_new_tokens=5).shape
    (2, 5)

    Reference:
        [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762); pre-normalized as in
        [Xiong et al., 2020](https://arxiv.org/abs/2002.04745)
    """

    def __init__(
        self,
        source_vocabulary_size,
        target_vocabulary_size,
        sequence_length=128,
        hidden_dim=64,
        num_layers=1,
        num_heads=4,
        intermediate_dim=128,
        dropout=0.1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(source_vocabulary_size) or source_vocabulary_size <= 0:
            raise ValueError(
                "`source_vocabulary_size` must be a positive int. "
                f"Received: source_vocabulary_size={source_vocabulary_size!r}"
            )
        if not is_int(target_vocabulary_size) or target_vocabulary_size <= 2:
            raise ValueError(
                "`target_vocabulary_size` must be an int greater than 2. "
                f"Received: target_vocabulary_size={target_vocabulary_size!r}"
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
        if not is_int(hidden_dim) or hidden_dim <= 0 or hidden_dim % num_heads:
            raise ValueError(
                "`hidden_dim` must be a positive multiple of `num_heads`. "
                f"Received: hidden_dim={hidden_dim!r}, num_heads={num_heads}"
            )
        self.source_vocabulary_size = source_vocabulary_size
        self.target_vocabulary_size = target_vocabulary_size
        self.sequence_length = sequence_length
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.dropout = float(dropout)
        sizes = (hidden_dim, num_heads, intermediate_dim, dropout)
        self.source_embedding = TokenAndPositionEmbedding(
            source_vocabulary_size,
            sequence_length,
            hidden_dim,
            dtype=self.dtype_policy,
            name="source_embedding",
        )
        self.source_dropout = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="source_dropout"
        )
        self.encoder_blocks = [
            EncoderBlock(*sizes, dtype=self.dtype_policy, name=f"encoder_{i}")
            for i in range(num_layers)
        ]
        self.encoder_norm = keras.layers.LayerNormalization(
            epsilon=1e-5, dtype=self.dtype_policy, name="encoder_norm"
        )
        self.target_embedding = TokenAndPositionEmbedding(
            target_vocabulary_size,
            sequence_length,
            hidden_dim,
            dtype=self.dtype_policy,
            name="target_embedding",
        )
        self.target_dropout = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="target_dropout"
        )
        self.decoder_blocks = [
            DecoderBlock(*sizes, dtype=self.dtype_policy, name=f"decoder_{i}")
            for i in range(num_layers)
        ]
        self.decoder_norm = keras.layers.LayerNormalization(
            epsilon=1e-5, dtype=self.dtype_policy, name="decoder_norm"
        )
        self.head = keras.layers.Dense(
            target_vocabulary_size, dtype=self.dtype_policy, name="head"
        )

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(
            {
                name: keras.Input(batch_shape=shape, dtype="int32")
                for name, shape in input_shape.items()
            }
        )

    def call(self, inputs, training=None):
        encoded = self.encode(inputs["source"], training=training)
        return self.decode(inputs["target"], encoded, training=training)

    def encode(self, source, training=None):
        """Return the encoder's outputs, which the decoder attends to."""
        x = self.source_dropout(self.source_embedding(source), training=training)
        for block in self.encoder_blocks:
            x = block(x, training=training)
        return self.encoder_norm(x)

    def decode(self, target, encoded, training=None):
        """Return logits of the next token at each step of the target."""
        x = self.target_dropout(self.target_embedding(target), training=training)
        for block in self.decoder_blocks:
            x = block(x, encoded, training=training)
        return self.head(self.decoder_norm(x))

    def generate(self, source, max_new_tokens):
        """Generate the most likely token at each step, for each source.

        Args:
            source: Ints of shape `(batch, source_steps)`.
            max_new_tokens: Int, maximum number of tokens to generate.

        Returns:
            NumPy array of ints of shape `(batch, max_new_tokens)`, 0 after the end.
        """
        source = ops.convert_to_tensor(source, "int32")
        if len(source.shape) != 2:
            raise ValueError(
                "`source` must have the shape `(batch, source_steps)`. "
                f"Received: source of shape {tuple(source.shape)}"
            )
        if not isinstance(max_new_tokens, int) or max_new_tokens < 0:
            raise ValueError(
                "`max_new_tokens` must be a non-negative int. "
                f"Received: max_new_tokens={max_new_tokens!r}"
            )
        encoded = self.encode(source, training=False)
        tokens = np.zeros((encoded.shape[0], max_new_tokens + 1), "int32")
        tokens[:, 0] = START
        ended = np.zeros(len(tokens), "bool")
        for step in range(max_new_tokens):
            # Tokens that are not generated yet are padding.
            logits = self.decode(tokens[:, :-1], encoded, training=False)
            chosen = ops.convert_to_numpy(ops.argmax(logits[:, step], axis=-1))
            tokens[:, step + 1] = np.where(ended, 0, chosen)
            ended |= chosen == END
            if ended.all():
                break
        return tokens[:, 1:]

    def compute_output_shape(self, input_shape):
        return (*input_shape["target"], self.target_vocabulary_size)

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
            "source_vocabulary_size": self.source_vocabulary_size,
            "target_vocabulary_size": self.target_vocabulary_size,
            "sequence_length": self.sequence_length,
            "hidden_dim": self.hidden_dim,
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "dropout": self.dropout,
        }
