"""`CustomDense`: `keras.layers.Dense` with its own attributes."""

import numbers

import keras


@keras.saving.register_keras_serializable(package="examples")
class CustomDense(keras.layers.Dense):
    """TODO: what it does beyond `keras.layers.Dense`.

    Args:
        units: As in `keras.layers.Dense`, keyword-only. Defaults to `64`.
        activation: As in `keras.layers.Dense`, keyword-only. Defaults to `"relu"`.
        gain: Float greater than 0. Defaults to `1.0`.
        mode: 'sum' or 'mean'. Defaults to `"sum"`.
        **kwargs: Arguments of `keras.layers.Dense`: use_bias, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, lora_rank,
            lora_alpha, quantization_config.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> layer = CustomDense()
    >>> isinstance(layer, keras.layers.Dense)
    True
    """

    def __init__(self, *, units=64, activation="relu", gain=1.0, mode="sum", **kwargs):
        super().__init__(units=units, activation=activation, **kwargs)
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if mode not in ("sum", "mean"):
            raise ValueError(f"`mode` must be 'sum' or 'mean'. Received: mode={mode!r}")
        self.gain = float(gain)
        self.mode = mode

    def call(self, inputs, training=None):
        # TODO: use `self.gain` and `self.mode`: they have no effect yet.
        return super().call(inputs, training=training)

    def get_config(self):
        return {**super().get_config(), "gain": self.gain, "mode": self.mode}
