"""`CustomDense`: `keras.layers.Dense` with its own attributes."""

import numbers

import keras


@keras.saving.register_keras_serializable(package="examples")
class CustomDense(keras.layers.Dense):
    """TODO: what it does beyond `keras.layers.Dense`.

    Args:
        gain: Float greater than 0. Defaults to `1.0`.
        *args, **kwargs: Arguments of `keras.layers.Dense`: units, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, lora_rank,
            lora_alpha, quantization_config.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> layer = CustomDense(units=4)
    >>> isinstance(layer, keras.layers.Dense)
    True
    """

    def __init__(self, *args, gain=1.0, **kwargs):
        super().__init__(*args, **kwargs)
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        self.gain = float(gain)

    def call(self, inputs, training=None):
        # TODO: use `self.gain`: it has no effect yet.
        return super().call(inputs, training=training)

    def get_config(self):
        return {**super().get_config(), "gain": self.gain}
