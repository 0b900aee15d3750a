"""`GentleActivation`: an activation function as a layer."""

import numbers

import keras


@keras.saving.register_keras_serializable(package="golden")
class GentleActivation(keras.layers.Layer):
    """Activation function: `activation(x)`.

    Args:
        activation: Activation function or its name, `None` for the identity. Defaults
            to `"gelu"`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ...)`, any rank.

    Output shape:
        Same shape as the input.

    Raises:
        TypeError: If `label` has the wrong type.
        ValueError: If an argument is invalid.

    Example:

    >>> layer = GentleActivation("relu")
    >>> [float(x) for x in layer(keras.ops.array([-3.0, 0.0, 2.0]))]
    [0.0, 0.0, 2.0]

    Reference:
        As `keras.layers.Activation`, but with its own arguments or defaults.
    """

    def __init__(self, activation="gelu", gain=1.0, label="mine", **kwargs):
        super().__init__(**kwargs)
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
        self.activation = keras.activations.get(activation)
        self.gain = float(gain)
        self.label = label
        self.supports_masking = True

    def call(self, inputs):
        # TODO: use `self.gain` and `self.label`: they have no effect yet.
        return self.activation(inputs)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "gain": self.gain,
            "label": self.label,
        }
