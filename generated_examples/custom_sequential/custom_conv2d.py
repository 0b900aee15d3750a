"""`CustomConv2D`: `keras.layers.Conv2D` with attributes of its own."""

import numbers

import keras


@keras.saving.register_keras_serializable(package="examples")
class CustomConv2D(keras.layers.Conv2D):
    """TODO: what it does beyond its base.

    So far it is as `keras.layers.Conv2D`.

    Args:
        filters, kernel_size, strides, padding, data_format, dilation_rate, groups,
            activation, use_bias, kernel_initializer, bias_initializer,
            kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint: As in `keras.layers.Conv2D`.
        gain: Float greater than 0. Defaults to `1.0`.
        **kwargs: As in `keras.layers.Conv2D`.

    Input shape:
        As in `keras.layers.Conv2D`.

    Output shape:
        As in `keras.layers.Conv2D`.

    Raises:
        ValueError: If an argument is none of the values above.

    Example:

    >>> layer = CustomConv2D(filters=4, kernel_size=3)
    >>> isinstance(layer, keras.layers.Conv2D)
    True
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        data_format=None,
        dilation_rate=(1, 1),
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        gain=1.0,
        **kwargs,
    ):
        super().__init__(
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            groups=groups,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        self.gain = float(gain)

    def build(self, input_shape):
        super().build(input_shape)
        # TODO: make weights of your own here, with
        # `self.add_weight(name="...", shape=...)`.

    def call(self, inputs):
        # TODO: put `self.gain` to use: nothing depends on it yet.
        return super().call(inputs)

    def compute_output_shape(self, input_shape):
        return super().compute_output_shape(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "gain": self.gain,
        }
