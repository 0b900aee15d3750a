"""`MyFeedForward`: a position-wise feed-forward network."""

import numbers

import keras


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="examples")
class MyFeedForward(keras.layers.Layer):
    """Position-wise feed-forward network, as in a Transformer.

    Two dense layers are applied to the last axis, at each step independently::

        hidden = activation(inputs @ W1 + b1)
        outputs = dropout(hidden) @ W2 + b2

    Args:
        intermediate_dim: Positive int, units of the first dense layer. The second has
            as many as the input has features.
        dropout: Float from 0 to 1, fraction of the first dense layer's units to drop in
            training. Defaults to `0.0`.
        activation: Activation function of the first dense layer or its name, `None` for
            the identity. Defaults to `"relu"`.
        kernel_initializer: Initializer of both kernels. Defaults to `"glorot_uniform"`.
        bias_initializer: Initializer of both biases. Defaults to `"zeros"`.
        seed: Int, seed for the dropout, or `None` for a random seed. Defaults to
            `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ..., dim)`, with rank at least 2 and `dim` known.

    Output shape:
        Same shape as the input.

    Raises:
        ValueError: If an argument is invalid, or the input has rank 1.

    Example:

    >>> layer = MyFeedForward(32)
    >>> tuple(layer(keras.ops.ones((2, 5, 8))).shape)
    (2, 5, 8)

    Reference:
        [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762)
    """

    def __init__(
        self,
        intermediate_dim,
        dropout=0.0,
        activation="relu",
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(intermediate_dim) or intermediate_dim <= 0:
            raise ValueError(
                "`intermediate_dim` must be a positive int. "
                f"Received: intermediate_dim={intermediate_dim!r}"
            )
        if not isinstance(dropout, numbers.Real) or not 0 <= dropout <= 1:
            raise ValueError(
                "`dropout` must be a float in the range [0, 1]. "
                f"Received: dropout={dropout!r}"
            )
        self.intermediate_dim = int(intermediate_dim)
        self.dropout = float(dropout)
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.seed = seed
        self.input_spec = keras.layers.InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape):
        # Created here, since the last one has as many units as the input has features.
        self.intermediate_dense = self._dense(
            self.intermediate_dim, "intermediate_dense", self.activation
        )
        self.intermediate_dense.build(input_shape)
        self.dropout_layer = keras.layers.Dropout(
            self.dropout, seed=self.seed, dtype=self.dtype_policy, name="dropout"
        )
        self.output_dense = self._dense(input_shape[-1], "output_dense")
        self.output_dense.build((*input_shape[:-1], self.intermediate_dim))

    def call(self, inputs, training=None):
        hidden = self.intermediate_dense(inputs)
        hidden = self.dropout_layer(hidden, training=training)
        return self.output_dense(hidden)

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

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "intermediate_dim": self.intermediate_dim,
            "dropout": self.dropout,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "seed": self.seed,
        }
