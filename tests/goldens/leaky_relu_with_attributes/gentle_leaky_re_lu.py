"""`GentleLeakyReLU`: a leaky ReLU."""

import numbers

import keras


@keras.saving.register_keras_serializable(package="golden")
class GentleLeakyReLU(keras.layers.Layer):
    """Leaky ReLU: `max(x, 0) + negative_slope * min(x, 0)`.

    A unit that is negative for all inputs still gets a gradient, and can thus recover.

    Args:
        negative_slope: Non-negative float, slope for negative inputs. Defaults to
            `0.01`.
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

    >>> layer = GentleLeakyReLU(0.5)
    >>> [float(x) for x in layer(keras.ops.array([-10.0, -5.0, 0.0, 5.0]))]
    [-5.0, -2.5, 0.0, 5.0]

    Reference:
        As `keras.layers.LeakyReLU`, but with its own arguments or defaults.

        Maas et al., 2013, "Rectifier Nonlinearities Improve Neural Network Acoustic
        Models".
    """

    def __init__(self, negative_slope=0.01, gain=1.0, label="mine", **kwargs):
        super().__init__(**kwargs)
        if not isinstance(negative_slope, numbers.Real) or not negative_slope >= 0:
            raise ValueError(
                "`negative_slope` must be a non-negative float. "
                f"Received: negative_slope={negative_slope!r}"
            )
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
        self.negative_slope = float(negative_slope)
        self.gain = float(gain)
        self.label = label
        self.supports_masking = True

    def call(self, inputs):
        # TODO: use `self.gain` and `self.label`: they have no effect yet.
        return keras.activations.leaky_relu(inputs, negative_slope=self.negative_slope)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "negative_slope": self.negative_slope,
            "gain": self.gain,
            "label": self.label,
        }
