"""`CustomDense`: `keras.layers.Dense` with attributes of its own."""

import numbers

import keras


@keras.saving.register_keras_serializable(package="examples")
class CustomDense(keras.layers.Dense):
    """TODO: what it does beyond its base.

    So far it is as `keras.layers.Dense`.

    Args:
        units, activation, use_bias, kernel_initializer, bias_initializer,
            kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, lora_rank, lora_alpha,
            quantization_config: As in `keras.layers.Dense`.
        gain: Float greater than 0. Defaults to `1.0`.
        **kwargs: As in `keras.layers.Dense`.

    Input shape:
        As in `keras.layers.Dense`.

    Output shape:
        As in `keras.layers.Dense`.

    Raises:
        ValueError: If an argument is none of the values above.

    Example:

    >>> layer = CustomDense(units=4)
    >>> isinstance(layer, keras.layers.Dense)
    True
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
        lora_rank=None,
        lora_alpha=None,
        quantization_config=None,
        gain=1.0,
        **kwargs,
    ):
        super().__init__(
            units=units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            lora_rank=lora_rank,
            lora_alpha=lora_alpha,
            quantization_config=quantization_config,
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

    def call(self, inputs, training=None):
        # TODO: put `self.gain` to use: nothing depends on it yet.
        return super().call(inputs, training=training)

    def compute_output_shape(self, input_shape):
        return super().compute_output_shape(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "gain": self.gain,
        }
