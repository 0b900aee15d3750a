"""`MyTransformerDecoder`: a Transformer decoder block."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class MyTransformerDecoder(keras.layers.Layer):
    """Transformer decoder block, with a cache for generation.

    In self-attention, each step attends to itself and previous steps. Each sublayer has
    a residual connection. The sum is normalized or, with `normalize_first`, the input
    of the sublayer::

        x = norm(inputs + attention(inputs))       x = inputs + attention(norm(inputs))
        outputs = norm(x + feed_forward(x))        outputs = x + feed_forward(norm(x))

    `mask`, of shape `(batch, steps)`, is `False` for padding: no step attends to it,
    and its own outputs are meaningless. By default, it is the mask of the input. It is
    passed on.

    To generate step by step, pass `self_attention_cache`, initially from `make_cache`,
    and `cache_update_index`, the index of the first step in `decoder_sequence`. The
    call then also returns the cache, updated with the keys and values of the new steps.
    Caches are for inference only, and `mask` is then ignored: a step attends to
    everything in the cache up to itself.

    Args:
        intermediate_dim: Positive int, units of the feed-forward network's first dense
            layer. The second has `dim` units.
        num_heads: Positive int that divides `dim`, number of attention heads, each with
            `dim // num_heads` features.
        dropout: Float from 0 to 1, fraction of the attention weights and of the
            sublayer outputs to drop in training. Defaults to `0.0`.
        activation: Activation function of the first dense layer or its name, `None` for
            the identity. Defaults to `"relu"`.
        layer_norm_epsilon: Positive float, added to the variance in layer
            normalization. Defaults to `1e-05`.
        kernel_initializer: Initializer of the kernels of the attention and the dense
            layers. Defaults to `"glorot_uniform"`.
        bias_initializer: Initializer of the biases of the attention and the dense
            layers. Defaults to `"zeros"`.
        normalize_first: Bool, whether to normalize the inputs of the sublayers, as in
            GPT-2, instead of their outputs, as in the original Transformer. Defaults to
            `False`.
        seed: Int, seed for the dropout, or `None` for a random seed. Defaults to
            `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, steps, dim)`, with `dim` known and a multiple of `num_heads`.

    Output shape:
        Same shape as `decoder_sequence`; with a cache, a tuple of that and the shape of
        the cache, `(batch, 2, cache_steps, num_heads, dim // num_heads)`.

    Raises:
        ValueError: If an argument is invalid, the input does not have rank 3, or `dim`
            is unknown or not a multiple of `num_heads`.

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
                "`dropout` must be a float in the range [0, 1]. "
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
                "The number of input features must be known and a multiple of "
                "`num_heads`. "
                f"Received: decoder_sequence_shape={decoder_sequence_shape}, "
                f"num_heads={self.num_heads}"
            )
        # Created here, not in the constructor, since their sizes depend on the input.
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
        """Return an empty cache for `max_steps` steps. The layer must be built."""
        attention = self.self_attention
        shape = (batch_size, 2, max_steps, attention.num_heads, attention.key_dim)
        return ops.zeros(shape, dtype=self.compute_dtype)

    def _self_attend(self, x, mask, cache, cache_update_index, training):
        if cache is None:
            # A copy, since the attention removes the mask from its input tensor.
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
        """Attend like `attention`, but to the cached keys and values."""
        x = ops.dot_product_attention(
            attention.query_dense(x), cache[:, 0], cache[:, 1], mask=seen
        )
        return attention.output_dense(x)

    def _feed_forward(self, x, training):
        x = self.output_dense(self.intermediate_dense(x))
        return self.feed_forward_dropout(x, training=training)

    def _dense(self, units, name, activation=None):
        """Return a dense layer with independently initialized weights."""
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
