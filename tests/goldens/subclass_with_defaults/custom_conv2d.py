"""`CustomConv2D`: `keras.layers.Conv2D` with attributes of its own."""

import keras


@keras.saving.register_keras_serializable(package="golden")
class CustomConv2D(keras.layers.Conv2D):
    """TODO: what it does beyond `keras.layers.Conv2D`.

    Args:
        kernel_size: As in `keras.layers.Conv2D`, by name. Defaults to `3`.
        padding: As in `keras.layers.Conv2D`, by name. Defaults to `"same"`.
        mode: 'sum' or 'mean'.
        *args, **kwargs: Arguments of `keras.layers.Conv2D`: filters, strides,
            data_format, dilation_rate, groups, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint.

    Raises:
        ValueError: If an argument is none of the values above.

    Example:

    >>> layer = CustomConv2D(filters=4, mode="mean")
    >>> isinstance(layer, keras.layers.Conv2D)
    True
    """

    def __init__(self, *args, kernel_size=3, padding="same", mode, **kwargs):
        super().__init__(*args, kernel_size=kernel_size, padding=padding, **kwargs)
        if mode not in ("sum", "mean"):
            raise ValueError(f"`mode` must be 'sum' or 'mean'. Received: mode={mode!r}")
        self.mode = mode

    def call(self, inputs):
        # TODO: put `self.mode` to use: nothing depends on it yet.
        return super().call(inputs)

    def get_config(self):
        return {**super().get_config(), "mode": self.mode}
