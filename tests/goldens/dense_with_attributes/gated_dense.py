"""`GatedDense`: a densely-connected layer."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class GatedDense(keras.layers.Layer):
    """Densely-connected layer: `activation(inputs @ kernel + bias)`.

    The product is taken over the last axis: an input of rank 3 or more is treated as a
    stack of vectors, each mapped by the same kernel.

    Args:
        units: Positive int, size of the output's last axis. Defaults to `32`.
        activation: Activation function or its name, `None` for the identity. Defaults
            to `"relu"`.
        use_bias: Bool, whether to add a bias. Defaults to `False`.
        kernel_initializer: Initializer of `kernel`. Defaults to `"he_normal"`.
        bias_initializer: Initializer of `bias`. Defaults to `"zeros"`.
        kernel_regularizer: Regularizer of `kernel`. Defaults to `None`.
        bias_regularizer: Regularizer of `bias`. Defaults to `"l2"`.
        activity_regularizer: Regularizer of the output. Defaults to `None`.
        kernel_constraint: Constraint on `kernel`. Defaults to `None`.
        bias_constraint: Constraint on `bias`. Defaults to `None`.
        gain: Float greater than 0. Defaults to `1.0`.
        x: Layer applied to the inputs first, or `None`. Defaults to `None`.
        noise_seed: Int, seed of `self.noise_seed_generator`, or `None` for a random
            seed. Defaults to `7`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ..., input_dim)`, with rank at least 2 and `input_dim` known.

    Output shape:
        `(batch, ..., units)`.

    Raises:
        TypeError: If `x` has the wrong type.
        ValueError: If an argument is invalid.

    Example:

    >>> layer = GatedDense(4, activation="relu")
    >>> tuple(layer(keras.ops.ones((2, 3))).shape)
    (2, 4)

    Reference:
        As `keras.layers.Dense`, but with its own arguments or defaults.
    """

    def __init__(
        self,
        units=32,
        activation="relu",
        use_bias=False,
        kernel_initializer="he_normal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer="l2",
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        gain=1.0,
        x=None,
        noise_seed=7,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not is_int(units) or units <= 0:
            raise ValueError(
                f"`units` must be a positive int. Received: units={units!r}"
            )
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if x is not None and not isinstance(x, keras.layers.Layer):
            raise TypeError(f"`x` must be a layer, or None. Received: x={x!r}")
        self.units = int(units)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.gain = float(gain)
        self.x = x
        self.noise_seed = noise_seed
        self.noise_seed_generator = keras.random.SeedGenerator(noise_seed)

    def build(self, input_shape):
        if self.x is not None:
            if not self.x.built:
                self.x.build(input_shape)
            input_shape = self.x.compute_output_shape(input_shape)
        input_dim = input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_dim, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(self, inputs, training=None):
        if self.x is not None:
            inputs = self.x(inputs, training=training)
        # TODO: use `self.gain` and `self.noise_seed_generator`: they have no effect
        # yet.
        outputs = ops.matmul(inputs, self.kernel)
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        if self.activation is not None:
            outputs = self.activation(outputs)
        return outputs

    def compute_output_shape(self, input_shape):
        if self.x is not None:
            input_shape = self.x.compute_output_shape(input_shape)
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
            "gain": self.gain,
            "x": keras.saving.serialize_keras_object(self.x),
            "noise_seed": self.noise_seed,
        }

    @classmethod
    def from_config(cls, config):
        x = keras.saving.deserialize_keras_object(config["x"])
        return cls(**{**config, "x": x})
