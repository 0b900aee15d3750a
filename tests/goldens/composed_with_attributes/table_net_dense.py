"""`TableNetDense`: a densely-connected layer."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class TableNetDense(keras.layers.Layer):
    """Densely-connected layer: `activation(inputs @ kernel + bias)`.

    The product is taken over the last axis: an input of rank 3 or more is treated as a
    stack of vectors, each mapped by the same kernel.

    Args:
        units: Positive int, size of the output's last axis.
        activation: Activation function or its name, `None` for the identity. Defaults
            to `None`.
        use_bias: Bool, whether to add a bias. Defaults to `True`.
        kernel_initializer: Initializer of `kernel`. Defaults to `"glorot_uniform"`.
        bias_initializer: Initializer of `bias`. Defaults to `"zeros"`.
        kernel_regularizer: Regularizer of `kernel`. Defaults to `None`.
        bias_regularizer: Regularizer of `bias`. Defaults to `None`.
        activity_regularizer: Regularizer of the output. Defaults to `None`.
        kernel_constraint: Constraint on `kernel`. Defaults to `None`.
        bias_constraint: Constraint on `bias`. Defaults to `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ..., input_dim)`, with rank at least 2 and `input_dim` known.

    Output shape:
        `(batch, ..., units)`.

    Raises:
        ValueError: If an argument is invalid, or the input has rank 1 or a different
            `input_dim` than the layer was built with.

    Example:

    >>> layer = TableNetDense(4, activation="relu")
    >>> tuple(layer(keras.ops.ones((2, 3))).shape)
    (2, 4)

    Reference:
        Drop-in for `keras.layers.Dense`, without `lora_rank`, `lora_alpha`,
        `quantization_config`, `enable_lora` and `quantize`.
    """

    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not is_int(units) or units <= 0:
            raise ValueError(
                f"`units` must be a positive int. Received: units={units!r}"
            )
        self.units = int(units)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape):
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
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: input_dim})

    def call(self, inputs):
        outputs = ops.matmul(inputs, self.kernel)
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        if self.activation is not None:
            outputs = self.activation(outputs)
        return outputs

    def compute_output_shape(self, input_shape):
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
        }

    @classmethod
    def from_config(cls, config):
        # Unsupported arguments of the built-in, with the values that have no effect.
        left_out = {
            "lora_rank": [None],
            "lora_alpha": [None],
            "quantization_config": [None],
        }
        for name, values in left_out.items():
            if name in config and config[name] not in values:
                raise ValueError(
                    f"`{name}` is not supported and must be {values[0]!r}. "
                    f"Received: {name}={config[name]!r}"
                )
        kept = {name: config[name] for name in config if name not in left_out}
        return super().from_config(kept)
