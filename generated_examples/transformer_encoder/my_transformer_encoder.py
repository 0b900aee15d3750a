"""`MyTransformerEncoder`: a Transformer encoder block."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="examples")
class MyTransformerEncoder(keras.layers.Layer):
    """Transformer encoder block: self-attention, then a feed-forward network.

    Each sublayer has a residual connection. The sum is normalized or, with
    `normalize_first`, the input of the sublayer::

        x = norm(inputs + attention(inputs))       x = inputs + attention(norm(inputs))
        outputs = norm(x + feed_forward(x))        outputs = x + feed_forward(norm(x))

    `mask`, of shape `(batch, steps)`, is `False` for padding: no step attends to it,
    and its own outputs are meaningless. By default, it is the mask of the input. It is
    passed on.

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
            GPT-2, instead of their outputs, as in BERT. Defaults to `False`.
        seed: Int, seed for the dropout, or `None` for a random seed. Defaults to
            `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, steps, dim)`, with `dim` known and a multiple of `num_heads`.

    Output shape:
        Same shape as the input.

    Raises:
        ValueError: If an argument is invalid, the input does not have rank 3, or `dim`
            is unknown or not a multiple of `num_heads`.

    Example:

    >>> layer = MyTransformerEncoder(32, num_heads=2)
    >>> tuple(layer(keras.ops.ones((2, 5, 8))).shape)
    (2, 5, 8)

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

    def build(self, input_shape):
        dim = input_shape[-1]
        if dim is None or dim % self.num_heads != 0:
            raise ValueError(
                "The number of input features must be known and a multiple of "
                "`num_heads`. "
                f"Received: input_shape={input_shape}, num_heads={self.num_heads}"
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
        self.self_attention.build(input_shape, input_shape)
        self.self_attention_norm = self._norm("self_attention_norm", input_shape)
        self.self_attention_dropout = self._dropout("self_attention_dropout", seeds[1])
        self.feed_forward_norm = self._norm("feed_forward_norm", input_shape)
        self.intermediate_dense = self._dense(
            self.intermediate_dim, "intermediate_dense", self.activation
        )
        self.intermediate_dense.build(input_shape)
        self.output_dense = self._dense(dim, "output_dense")
        self.output_dense.build((*input_shape[:-1], self.intermediate_dim))
        self.feed_forward_dropout = self._dropout("feed_forward_dropout", seeds[2])

    def call(self, inputs, mask=None, training=None):
        if self.normalize_first:
            x = self.self_attention_norm(inputs)
            x = inputs + self._attend(x, mask, training)
            return x + self._feed_forward(self.feed_forward_norm(x), training)
        # A copy, since the attention removes the mask from its input tensor.
        x = inputs + self._attend(ops.copy(inputs), mask, training)
        x = self.self_attention_norm(x)
        return self.feed_forward_norm(x + self._feed_forward(x, training))

    def _attend(self, x, mask, training):
        x = self.self_attention(x, x, value_mask=mask, training=training)
        return self.self_attention_dropout(x, training=training)

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

    def compute_output_shape(self, input_shape):
        return input_shape

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
