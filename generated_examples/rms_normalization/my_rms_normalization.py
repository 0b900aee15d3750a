"""`MyRMSNormalization`: root mean square normalization."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="examples")
class MyRMSNormalization(keras.layers.Layer):
    """Root mean square normalization: `scale * x / sqrt(mean(x ** 2) + epsilon)`.

    The mean is computed from the input over the axes in `axis`, for each position along
    the other axes. Samples are thus independent of each other, and training and
    inference are the same. Unlike in layer normalization, nothing is subtracted or
    added. `scale` has the shape of the axes in `axis` and is initialized to ones.

    Args:
        axis: Int, or list or tuple of ints, the axes to normalize over. Defaults to
            `-1`.
        epsilon: Float, added to the mean to avoid dividing by zero. Defaults to
            `1e-06`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        Any, with known sizes along `axis`.

    Output shape:
        Same shape as the input.

    Raises:
        TypeError: If `axis` has the wrong type.
        ValueError: If an argument is invalid, or the input does not have all axes in
            `axis` or their sizes are unknown.

    Example:

    >>> layer = MyRMSNormalization(epsilon=1e-5)
    >>> y = layer(keras.ops.array([[2.0, -2.0], [5.0, 5.0]]))
    >>> keras.ops.convert_to_numpy(y).round(3).tolist()
    [[1.0, -1.0], [1.0, 1.0]]

    Reference:
        [Zhang and Sennrich, 2019](https://arxiv.org/abs/1910.07467). Drop-in for
        `keras.layers.RMSNormalization`, which fails unless the axes in `axis` are the
        last ones.
    """

    def __init__(self, axis=-1, epsilon=1e-06, **kwargs):
        super().__init__(**kwargs)
        axes = axis if isinstance(axis, (list, tuple)) else [axis]
        if not all(is_int(item) for item in axes):
            raise TypeError(
                "`axis` must be an int, or a list or tuple of ints. "
                f"Received: axis={axis!r}"
            )
        self.axis = list(axis) if isinstance(axis, tuple) else axis
        self.epsilon = float(epsilon)

    def build(self, input_shape):
        shape = tuple(input_shape[axis] for axis in self._axes_of(input_shape))
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")

    def call(self, x):
        axes, rank = self._axes_of(x.shape), len(x.shape)
        last = [*range(rank - len(axes), rank)]
        # `ops.rms_normalization` broadcasts `scale` along the wrong axes unless they
        # are the last ones.
        if axes != last:
            x = ops.moveaxis(x, axes, last)
        outputs = ops.rms_normalization(x, self.scale, axis=last, epsilon=self.epsilon)
        if axes != last:
            outputs = ops.moveaxis(outputs, last, axes)
        return outputs

    def _axes_of(self, shape):
        """Return the axes in `axis` as sorted non-negative ints."""
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        if not all(-len(shape) <= axis < len(shape) for axis in axes):
            raise ValueError(
                "`axis` must be axes of the input. "
                f"Received: axis={self.axis}, input_shape={shape}"
            )
        return sorted(axis % len(shape) for axis in axes)

    def compute_output_shape(self, input_shape):
        self._axes_of(input_shape)  # Raises for a shape without them.
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
        }
