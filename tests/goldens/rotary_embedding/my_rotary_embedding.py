"""`MyRotaryEmbedding`: a rotation by each position."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class MyRotaryEmbedding(keras.layers.Layer):
    """Rotary position embedding: rotates pairs of features by the step's position.

    For `i < size / 2`, features `i` and `i + size / 2` are a pair `a, b`. At position
    `p`::

        angle = p / scaling_factor / max_wavelength ** (2 * i / size)
        a, b = a * cos(angle) - b * sin(angle), b * cos(angle) + a * sin(angle)

    The dot product of two rotated steps depends on their positions only through their
    distance. Apply it to queries and keys, before their product.

    The positions are `start_index`, `start_index + 1` and so on, or the call argument
    `positions`, of shape `(steps,)` or `(batch, steps)`. Angles are computed in
    float32, regardless of the dtype policy.

    Args:
        max_wavelength: Positive float, the longest wavelength divided by 2 pi. Defaults
            to `10000.0`.
        scaling_factor: Positive float, divisor of the positions. Defaults to `1.0`.
        sequence_axis: Int, the axis of the steps. Defaults to `1`.
        feature_axis: Int, the axis of the features. Defaults to `-1`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, steps, ..., size)`, or according to the axis arguments, with an even
        `size`.

    Output shape:
        Same shape as the input.

    Raises:
        TypeError: If `sequence_axis` or `feature_axis` has the wrong type.
        ValueError: If an argument is invalid, or `size` is odd.

    Example:

    >>> layer = MyRotaryEmbedding()
    >>> tuple(layer(keras.ops.ones((2, 10, 8))).shape)
    (2, 10, 8)

    Reference:
        [Su et al., 2021](https://arxiv.org/abs/2104.09864). Drop-in for
        `keras_hub.layers.RotaryEmbedding`, without `rope_type` and its arguments and
        `denominator_dim`.
    """

    def __init__(
        self,
        max_wavelength=10000.0,
        scaling_factor=1.0,
        sequence_axis=1,
        feature_axis=-1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(max_wavelength, numbers.Real) or not max_wavelength > 0:
            raise ValueError(
                "`max_wavelength` must be a float greater than 0. "
                f"Received: max_wavelength={max_wavelength!r}"
            )
        if not isinstance(scaling_factor, numbers.Real) or not scaling_factor > 0:
            raise ValueError(
                "`scaling_factor` must be a float greater than 0. "
                f"Received: scaling_factor={scaling_factor!r}"
            )
        if not is_int(sequence_axis):
            raise TypeError(
                "`sequence_axis` must be an int. "
                f"Received: sequence_axis={sequence_axis!r}"
            )
        if not is_int(feature_axis):
            raise TypeError(
                "`feature_axis` must be an int. "
                f"Received: feature_axis={feature_axis!r}"
            )
        self.max_wavelength = float(max_wavelength)
        self.scaling_factor = float(scaling_factor)
        self.sequence_axis = int(sequence_axis)
        self.feature_axis = int(feature_axis)
        self.supports_masking = True

    def build(self, input_shape):
        size = input_shape[self.feature_axis]
        if size is not None and size % 2 != 0:
            raise ValueError(
                "The size of the feature axis must be even. Received: "
                f"feature_axis={self.feature_axis}, input_shape={input_shape}"
            )

    def call(self, inputs, start_index=0, positions=None):
        axes = (self.sequence_axis, self.feature_axis)
        inputs = ops.moveaxis(inputs, axes, (1, -1))
        size = ops.shape(inputs)[-1]
        if positions is None:
            positions = ops.arange(ops.shape(inputs)[1]) + start_index
        if len(positions.shape) == 1:
            positions = ops.expand_dims(positions, 0)
        exponents = ops.arange(0, size, 2, dtype="float32") / ops.cast(size, "float32")
        frequencies = ops.power(float(self.max_wavelength), -exponents)
        positions = ops.cast(ops.expand_dims(positions, -1), "float32")
        angles = positions * frequencies / self.scaling_factor
        # For the axes between the steps and the features, such as heads.
        angles = ops.expand_dims(angles, [*range(2, len(inputs.shape) - 1)])
        sin = ops.cast(ops.sin(angles), self.compute_dtype)
        cos = ops.cast(ops.cos(angles), self.compute_dtype)
        first, second = ops.split(inputs, 2, axis=-1)
        outputs = ops.concatenate(
            [first * cos - second * sin, second * cos + first * sin], axis=-1
        )
        return ops.moveaxis(outputs, (1, -1), axes)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "max_wavelength": self.max_wavelength,
            "scaling_factor": self.scaling_factor,
            "sequence_axis": self.sequence_axis,
            "feature_axis": self.feature_axis,
        }
