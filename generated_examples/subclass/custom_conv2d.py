"""`CustomConv2D`: `keras.layers.Conv2D` with its own `call`."""

import keras


@keras.saving.register_keras_serializable(package="examples")
class CustomConv2D(keras.layers.Conv2D):
    """TODO: what it does beyond `keras.layers.Conv2D`.

    Args:
        *args, **kwargs: Arguments of `keras.layers.Conv2D`: filters, kernel_size,
            strides, padding, data_format, dilation_rate, groups, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint.

    Example:

    >>> layer = CustomConv2D(filters=4, kernel_size=3)
    >>> isinstance(layer, keras.layers.Conv2D)
    True
    """

    def call(self, inputs):
        # TODO: compute what `keras.layers.Conv2D` does not compute.
        return super().call(inputs)
