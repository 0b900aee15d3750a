"""`GatedUnit`: a gated linear unit."""

import numbers

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="golden")
class GatedUnit(keras.layers.Layer):
    """Gated linear unit: `a * activation(b)`, with `a, b = split(inputs, 2)`.

    `a` is the first half of the last axis and `b`, the gate, the second half. Use it
    after a dense or convolution layer without activation and with twice the units or
    filters.

    Args:
        activation: Activation function of the gate or its name, `None` for the
            identity. Defaults to `"relu"`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ..., 2 * channels)`, with rank at least 2.

    Output shape:
        `(batch, ..., channels)`.

    Raises:
        TypeError: If `label` has the wrong type.
        ValueError: If an argument is invalid, or the input has rank 1 or a last axis of
            odd size.

    Example:

    >>> layer = GatedUnit()
    >>> tuple(layer(keras.ops.ones((2, 6))).shape)
    (2, 3)

    Reference:
        [Dauphin et al., 2017](https://arxiv.org/abs/1612.08083)
    """

    def __init__(self, activation="relu", gain=1.0, label="mine", **kwargs):
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
        self.input_spec = keras.layers.InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape):
        self.compute_output_shape(input_shape)  # Raises if the last axis is odd.

    def call(self, inputs):
        # TODO: use `self.gain` and `self.label`: they have no effect yet.
        outputs, gate = ops.split(inputs, 2, axis=-1)
        return ops.multiply(outputs, self.activation(gate))

    def compute_output_shape(self, input_shape):
        size = input_shape[-1]
        if size is None:
            return input_shape
        if size % 2 != 0:
            raise ValueError(
                "The size of the last input axis must be even. Received: "
                f"input_shape={input_shape}"
            )
        return (*input_shape[:-1], size // 2)

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "gain": self.gain,
            "label": self.label,
        }
