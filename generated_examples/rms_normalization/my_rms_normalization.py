"""`MyRMSNormalization`: root mean square normalization."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, of Python or NumPy, and not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="examples")
class MyRMSNormalization(keras.layers.Layer):
    """Root mean square normalization: `scale * x / sqrt(mean(x ** 2) + epsilon)`.

    The mean is that of the input itself over the axes in `axis`, taken for each place
    along the others: no item of a batch has an influence on another, and training is as
    inference. Other than in layer normalization, nothing is subtracted or added.
    `scale` has a value for each place along the axes in `axis`, and begins with ones.

    Args:
        axis: Int, or list or tuple of ints: the axes that the mean is taken over.
            Defaults to `-1`.
        epsilon: Float, added to the mean lest it be 0. Defaults to `1e-06`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.layers.Layer`.

    Input shape:
        Any, with the sizes of the axes in `axis` known.

    Output shape:
        That of the input.

    Raises:
        TypeError: If `axis` is of another type.
        ValueError: If an argument is none of the values above, the input has not all of
            the axes in `axis` or their sizes are unknown.

    Example:

    >>> layer = MyRMSNormalization(epsilon=1e-5)
    >>> y = layer(keras.ops.array([[2.0, -2.0], [5.0, 5.0]]))
    >>> keras.ops.convert_to_numpy(y).round(3).tolist()
    [[1.0, -1.0], [1.0, 1.0]]

    Reference:
        [Zhang and Sennrich, 2019](https://arxiv.org/abs/1910.07467). Drop-in for
        `keras.layers.RMSNormalization`, which fails where `axis` is not the last ones.
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
        # With other axes than the last ones, `ops.rms_normalization` lays `scale` along
        # the wrong ones.
        if axes != last:
            x = ops.moveaxis(x, axes, last)
        outputs = ops.rms_normalization(x, self.scale, axis=last, epsilon=self.epsilon)
        if axes != last:
            outputs = ops.moveaxis(outputs, last, axes)
        return outputs

    def _axes_of(self, shape):
        """Return the axes in `axis`, counted from the first one, in order."""
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        if not all(-len(shape) <= axis < len(shape) for axis in axes):
            raise ValueError(
                "`axis` must name axes of the input. "
                f"Received: axis={self.axis}, input_shape={shape}"
            )
        return sorted(axis % len(shape) for axis in axes)

    def compute_output_shape(self, input_shape):
        self._axes_of(input_shape)  # Refuses a shape without them.
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
        }
