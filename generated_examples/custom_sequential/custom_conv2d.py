"""`CustomConv2D`: `keras.layers.Conv2D` with its own attributes."""

import numbers

import keras


@keras.saving.register_keras_serializable(package="examples")
class CustomConv2D(keras.layers.Conv2D):
    """TODO: what it does beyond `keras.layers.Conv2D`.

    Args:
        gain: Float greater than 0. Defaults to `1.0`.
        *args, **kwargs: Arguments of `keras.layers.Conv2D`: filters, kernel_size,
            strides, padding, data_format, dilation_rate, groups, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> layer = CustomConv2D(filters=4, kernel_size=3)
    >>> isinstance(layer, keras.layers.Conv2D)
    True
    """

    def __init__(self, *args, gain=1.0, **kwargs):
        super().__init__(*args, **kwargs)
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        self.gain = float(gain)

    def call(self, inputs):
        # TODO: use `self.gain`: it has no effect yet.
        return super().call(inputs)

    def get_config(self):
        return {**super().get_config(), "gain": self.gain}
