"""`MyTransformerDecoder`: a block of a Transformer's decoder."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, of Python or NumPy, and not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="examples")
class MyTransformerDecoder(keras.layers.Layer):
    """Block of a Transformer's decoder, with a cache to generate.

    In the self-attention a step sees itself and those before it. What each part gives
    is added to what it gets, and the sum is normalized; or, with `normalize_first`,
    what it gets is::

        x = norm(inputs + attention(inputs))       x = inputs + attention(norm(inputs))
        outputs = norm(x + feed_forward(x))        outputs = x + feed_forward(norm(x))

    `mask`, of the shape `(batch, steps)`, is `False` for padding: no step attends to
    it, and what comes out there means nothing. Keras fills in the one that the input
    carries, and the output carries it on.

    To generate step by step, hand over `self_attention_cache`, of `make_cache` at
    first, and the step `cache_update_index` where `decoder_sequence` begins. The call
    then returns the cache with the keys and values of the new steps as well. Caches are
    for inference, and with one `mask` is not looked at: a step sees all that the cache
    has up to it.

    Args:
        intermediate_dim: Positive int, units of the feed-forward network's first dense
            layer. The second one has as many as the input.
        num_heads: Positive int that divides `dim`, number of attention heads, of
            `dim // num_heads` features each.
        dropout: Float from 0 to 1, the probability that an attention weight, or a value
            of what is added to a residual, is dropped in training. Defaults to `0.0`.
        activation: Activation function of the first dense layer or its name, `None` for
            the identity. Defaults to `"relu"`.
        layer_norm_epsilon: Float greater than 0, what the normalizations add to the
            variance. Defaults to `1e-05`.
        kernel_initializer: Initializer of the kernels of the attention and the dense
            layers. Defaults to `"glorot_uniform"`.
        bias_initializer: Initializer of their biases. Defaults to `"zeros"`.
        normalize_first: Bool, whether to normalize what goes into the attention and the
            feed-forward network, as GPT-2 does, not the sums, as the first Transformer
            did. Defaults to `False`.
        seed: Int, seed of the dropout, or `None` for another one each time. Defaults to
            `None`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.layers.Layer`.

    Input shape:
        `(batch, steps, dim)`, `dim` known and a multiple of `num_heads`.

    Output shape:
        That of `decoder_sequence`; with a cache a tuple, of that and the shape of the
        cache, `(batch, 2, cache_steps, num_heads, dim // num_heads)`.

    Raises:
        ValueError: If an argument is none of the values above, or the input has not 3
            axes, or its features are unknown or no multiple of `num_heads`.

    Example:

    >>> layer = MyTransformerDecoder(32, num_heads=2)
    >>> x = keras.ops.ones((2, 5, 8))
    >>> tuple(layer(x).shape)
    (2, 5, 8)

    Step by step:

    >>> cache = layer.make_cache(batch_size=2, max_steps=5)
    >>> for step in range(5):
    ...     y, cache = layer(
    ...         x[:, step : step + 1],
    ...         self_attention_cache=cache,
    ...         cache_update_index=step,
    ...     )
    >>> tuple(y.shape)
    (2, 1, 8)

    Reference:
        [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762)
    """

    def __init__(
        self,
        intermediate_dim,
        num_heads,
        dropout=0.0,
        activation="relu",
        layer_norm_epsilon=1e-05,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        normalize_first=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(intermediate_dim) or intermediate_dim <= 0:
            raise ValueError(
                "`intermediate_dim` must be a positive int. "
                f"Received: intermediate_dim={intermediate_dim!r}"
            )
        if not is_int(num_heads) or num_heads <= 0:
            raise ValueError(
                f"`num_heads` must be a positive int. Received: num_heads={num_heads!r}"
            )
        if not isinstance(dropout, numbers.Real) or not 0 <= dropout <= 1:
            raise ValueError(
                "`dropout` must be a float at least 0 and at most 1. "
                f"Received: dropout={dropout!r}"
            )
        if (
            not isinstance(layer_norm_epsilon, numbers.Real)
            or not layer_norm_epsilon > 0
        ):
            raise ValueError(
                "`layer_norm_epsilon` must be a float greater than 0. "
                f"Received: layer_norm_epsilon={layer_norm_epsilon!r}"
            )
        self.intermediate_dim = int(intermediate_dim)
        self.num_heads = int(num_heads)
        self.dropout = float(dropout)
        self.activation = keras.activations.get(activation)
        self.layer_norm_epsilon = float(layer_norm_epsilon)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.normalize_first = normalize_first
        self.seed = seed
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.supports_masking = True

    def build(self, decoder_sequence_shape):
        dim = decoder_sequence_shape[-1]
        if dim is None or dim % self.num_heads != 0:
            raise ValueError(
                "The input's features must be known and a multiple of `num_heads`. "
                f"Received: decoder_sequence_shape={decoder_sequence_shape}, "
                f"num_heads={self.num_heads}"
            )
        # All are made here, not in the constructor: their sizes depend on the input's.
        seeds = [None if self.seed is None else self.seed + i for i in range(3)]
        self.self_attention = keras.layers.MultiHeadAttention(
            self.num_heads,
            dim // self.num_heads,
            dropout=self.dropout,
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer,
            seed=seeds[0],
            dtype=self.dtype_policy,
            name="self_attention",
        )
        self.self_attention.build(decoder_sequence_shape, decoder_sequence_shape)
        self.self_attention_norm = self._norm(
            "self_attention_norm", decoder_sequence_shape
        )
        self.self_attention_dropout = self._dropout("self_attention_dropout", seeds[1])
        self.feed_forward_norm = self._norm("feed_forward_norm", decoder_sequence_shape)
        self.intermediate_dense = self._dense(
            self.intermediate_dim, "intermediate_dense", self.activation
        )
        self.intermediate_dense.build(decoder_sequence_shape)
        self.output_dense = self._dense(dim, "output_dense")
        self.output_dense.build((*decoder_sequence_shape[:-1], self.intermediate_dim))
        self.feed_forward_dropout = self._dropout("feed_forward_dropout", seeds[2])

    def call(
        self,
        decoder_sequence,
        mask=None,
        self_attention_cache=None,
        cache_update_index=None,
        training=None,
    ):
        x, cache = decoder_sequence, self_attention_cache
        if self.normalize_first:
            attended, cache = self._self_attend(
                self.self_attention_norm(x), mask, cache, cache_update_index, training
            )
            x = x + attended
            x = x + self._feed_forward(self.feed_forward_norm(x), training)
        else:
            attended, cache = self._self_attend(
                x, mask, cache, cache_update_index, training
            )
            x = self.self_attention_norm(x + attended)
            x = self.feed_forward_norm(x + self._feed_forward(x, training))
        return x if cache is None else (x, cache)

    def make_cache(self, batch_size, max_steps):
        """Return an empty cache for `max_steps` steps; the layer must be built."""
        attention = self.self_attention
        shape = (batch_size, 2, max_steps, attention.num_heads, attention.key_dim)
        return ops.zeros(shape, dtype=self.compute_dtype)

    def _self_attend(self, x, mask, cache, cache_update_index, training):
        if cache is None:
            # A copy, since the attention takes the mask off the tensor that it gets.
            x = ops.copy(x)
            x = self.self_attention(
                x, x, value_mask=mask, use_causal_mask=True, training=training
            )
        else:
            new = self._keys_and_values(self.self_attention, x)
            cache = ops.slice_update(cache, (0, 0, cache_update_index, 0, 0), new)
            steps = cache_update_index + ops.arange(ops.shape(x)[1])
            seen = ops.arange(ops.shape(cache)[2]) <= ops.expand_dims(steps, -1)
            x = self._attend(self.self_attention, x, cache, seen[None, None])
        return self.self_attention_dropout(x, training=training), cache

    def _keys_and_values(self, attention, x):
        return ops.stack([attention.key_dense(x), attention.value_dense(x)], axis=1)

    def _attend(self, attention, x, cache, seen):
        """Attend as `attention` does, but to keys and values that are known."""
        x = ops.dot_product_attention(
            attention.query_dense(x), cache[:, 0], cache[:, 1], mask=seen
        )
        return attention.output_dense(x)

    def _feed_forward(self, x, training):
        x = self.output_dense(self.intermediate_dense(x))
        return self.feed_forward_dropout(x, training=training)

    def _dense(self, units, name, activation=None):
        """Return a dense layer that draws weights of its own."""
        return keras.layers.Dense(
            units,
            activation=activation,
            kernel_initializer=self.kernel_initializer.clone(),
            bias_initializer=self.bias_initializer.clone(),
            dtype=self.dtype_policy,
            name=name,
        )

    def _norm(self, name, shape):
        norm = keras.layers.LayerNormalization(
            epsilon=self.layer_norm_epsilon, dtype=self.dtype_policy, name=name
        )
        norm.build(shape)
        return norm

    def _dropout(self, name, seed):
        return keras.layers.Dropout(
            self.dropout, seed=seed, dtype=self.dtype_policy, name=name
        )

    def compute_output_shape(
        self, decoder_sequence_shape, self_attention_cache_shape=None
    ):
        if self_attention_cache_shape is None:
            return decoder_sequence_shape
        return decoder_sequence_shape, self_attention_cache_shape

    def get_config(self):
        return {
            **super().get_config(),
            "intermediate_dim": self.intermediate_dim,
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "activation": keras.activations.serialize(self.activation),
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "normalize_first": self.normalize_first,
            "seed": self.seed,
        }
