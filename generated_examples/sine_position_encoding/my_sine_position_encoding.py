"""`MySinePositionEncoding`: sines and cosines of each position."""

import numbers

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="examples")
class MySinePositionEncoding(keras.layers.Layer):
    """Sinusoidal position encoding: `sin` and `cos` of `positions * frequencies`.

    Feature `i` at position `p` is::

        angle = p / max_wavelength ** (2 * (i // 2) / size)
        output = sin(angle) if i % 2 == 0 else cos(angle)

    The positions are `start_index`, `start_index + 1` and so on, or the call argument
    `positions`, of shape `(steps,)` or `(batch, steps)`. Only the shape of the inputs
    matters; the outputs are meant to be added to them. Angles are computed in float32,
    regardless of the dtype policy.

    Args:
        max_wavelength: Positive float, the longest wavelength divided by 2 pi. Defaults
            to `10000.0`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, steps, size)`.

    Output shape:
        Same shape as the input.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> layer = MySinePositionEncoding()
    >>> tuple(layer(keras.ops.ones((2, 10, 8))).shape)
    (2, 10, 8)

    Reference:
        [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762). Drop-in for
        `keras_hub.layers.SinePositionEncoding`.
    """

    def __init__(self, max_wavelength=10000.0, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(max_wavelength, numbers.Real) or not max_wavelength > 0:
            raise ValueError(
                "`max_wavelength` must be a float greater than 0. "
                f"Received: max_wavelength={max_wavelength!r}"
            )
        self.max_wavelength = float(max_wavelength)
        self.supports_masking = True

    def call(self, inputs, start_index=0, positions=None):
        shape = ops.shape(inputs)
        if positions is None:
            positions = ops.arange(shape[-2]) + start_index
        features = ops.arange(shape[-1])
        exponents = ops.cast(features // 2 * 2, "float32") / shape[-1]
        frequencies = ops.power(float(self.max_wavelength), -exponents)
        positions = ops.cast(ops.expand_dims(positions, -1), "float32")
        angles = positions * frequencies
        encodings = ops.where(features % 2 == 0, ops.sin(angles), ops.cos(angles))
        return ops.broadcast_to(ops.cast(encodings, self.compute_dtype), shape)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "max_wavelength": self.max_wavelength,
        }
