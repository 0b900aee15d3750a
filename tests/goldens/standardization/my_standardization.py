"""`MyStandardization`: standardization with adapted statistics."""

import numbers

import keras
import numpy as np
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def batches_of(data):
    """Yield the inputs of each batch in `data`; an array is a single batch."""
    if hasattr(data, "shape"):
        data = [data]
    elif not hasattr(data, "__iter__"):
        raise TypeError(
            "`data` must be an array, or an iterable of batches. "
            f"Received: data={data!r}"
        )
    elif hasattr(data, "element_spec") and len(inputs_of(data.element_spec).shape) == 1:
        data = data.batch(128)
    for batch in data:
        inputs = inputs_of(batch)
        if not hasattr(inputs, "shape"):
            raise TypeError(
                f"`data` must contain arrays or tensors. Received: {inputs!r}"
            )
        yield inputs


def inputs_of(batch):
    """Return the inputs of a batch, which may be a tuple `(inputs, targets)`."""
    return batch[0] if isinstance(batch, tuple) else batch


@keras.saving.register_keras_serializable(package="golden")
class MyStandardization(keras.layers.Layer):
    """Standardization with adapted statistics: `(inputs - mean) / sqrt(variance)`.

    `adapt(data)` computes the mean and the variance of the data, once before training;
    they are non-trainable weights and saved with the model. Until then they are 0 and
    1, and the output is the input. With `mean` and `variance` given, the layer has no
    weights.

    The divisor is at least `keras.config.epsilon()`. With `invert=True`, the output is
    `inputs * sqrt(variance) + mean`. Computations use at least float32: the dtype
    policy only affects inputs and outputs.

    Args:
        axis: Int, list or tuple of ints, or `None`, the axes with a separate mean and
            variance for each index. `None` for a single mean and variance. Defaults to
            `-1`.
        mean: Number, list or array, the mean to use instead of `adapt`, in a shape that
            broadcasts to the sizes along `axis`. Requires `variance`. Defaults to
            `None`.
        variance: Number, list or array, the variance to use with `mean`, in the same
            shape. Defaults to `None`.
        invert: Bool, whether to invert the transformation, from standardized back to
            original values. Defaults to `False`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        Any, with known sizes along `axis`.

    Output shape:
        Same shape as the input.

    Raises:
        TypeError: If `axis` has the wrong type.
        ValueError: If an argument is invalid, only one of `mean` and `variance` is
            given, their shapes differ or do not broadcast to the sizes along `axis`, or
            the input does not have all axes in `axis` or their sizes are unknown.

    Example:

    >>> layer = MyStandardization(axis=-1)
    >>> layer.adapt(keras.ops.array([[1.0, 10.0], [3.0, 50.0]]))
    >>> keras.ops.convert_to_numpy(layer(keras.ops.array([[3.0, 30.0]]))).tolist()
    [[1.0, 0.0]]

    Reference:
        Drop-in for `keras.layers.Normalization`, without use inside `tf.data` on
        backends other than TensorFlow.
    """

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, **kwargs):
        super().__init__(**kwargs)
        if axis is None:
            axis = ()
        elif is_int(axis):
            axis = (axis,)
        if not isinstance(axis, (list, tuple)) or not all(
            is_int(item) for item in axis
        ):
            raise TypeError(
                "`axis` must be an int, a list or tuple of ints, or None. "
                f"Received: axis={axis!r}"
            )
        if (mean is None) != (variance is None):
            raise ValueError(
                "`mean` and `variance` must be given together. "
                f"Received: mean={mean!r}, variance={variance!r}"
            )
        if np.shape(mean) != np.shape(variance):
            raise ValueError(
                "`mean` and `variance` must have the same shape. "
                f"Received: mean={mean!r}, variance={variance!r}"
            )
        if np.ndim(mean) > len(axis):
            raise ValueError(
                "`mean` must not have more axes than `axis`. "
                f"Received: mean={mean!r}, axis={axis!r}"
            )
        self.axis = tuple(axis)
        self.input_mean = None if mean is None else np.asarray(mean)
        self.input_variance = None if variance is None else np.asarray(variance)
        self.invert = invert
        self.supports_masking = True

    def build(self, input_shape):
        rank = len(input_shape)
        if not all(-rank <= axis < rank for axis in self.axis):
            raise ValueError(
                "`axis` must be axes of the input. "
                f"Received: axis={self.axis}, input_shape={input_shape}"
            )
        self._axes = sorted(axis % rank for axis in self.axis)
        self._sizes = tuple(input_shape[axis] for axis in self._axes)
        if None in self._sizes:
            raise ValueError(
                "The sizes along `axis` must be known. "
                f"Received: axis={self.axis}, input_shape={input_shape}"
            )
        self._shape = [
            size if i in self._axes else 1 for i, size in enumerate(input_shape)
        ]
        if self.input_mean is not None:
            np.broadcast_to(self.input_mean, self._sizes)  # Raises if incompatible.
            return
        self.adapt_mean = self.add_weight(
            name="mean",
            shape=self._sizes,
            initializer="zeros",
            trainable=False,
            autocast=False,
        )
        self.adapt_variance = self.add_weight(
            name="variance",
            shape=self._sizes,
            initializer="ones",
            trainable=False,
            autocast=False,
        )
        # Unused, but one of the weights of `keras.layers.Normalization`.
        self.count = self.add_weight(
            name="count", shape=(), dtype="int", initializer="zeros", trainable=False
        )

    def call(self, inputs):
        mean, variance = self.mean, self.variance
        inputs = ops.cast(inputs, mean.dtype)
        deviation = ops.maximum(ops.sqrt(variance), keras.config.epsilon())
        if self.invert:
            outputs = inputs * deviation + mean
        else:
            outputs = (inputs - mean) / deviation
        return ops.cast(outputs, self.compute_dtype)

    @property
    def mean(self):
        """The mean used, in a shape that broadcasts with the inputs."""
        return self._spread(
            self.adapt_mean if self.input_mean is None else self.input_mean
        )

    @property
    def variance(self):
        """The variance used, in a shape that broadcasts with the inputs."""
        return self._spread(
            self.adapt_variance if self.input_mean is None else self.input_variance
        )

    def _spread(self, statistic):
        """Return `statistic` in at least float32, with size 1 along all other axes."""
        dtype = keras.backend.result_type(self.compute_dtype, "float32")
        statistic = ops.broadcast_to(ops.cast(statistic, dtype), self._sizes)
        return ops.reshape(statistic, self._shape)

    def adapt(self, data):
        """Compute the mean and the variance of `data`, replacing any previous ones.

        Args:
            data: An array, or an iterable of batches: a list, a generator, a
                `tf.data.Dataset` or a `keras.utils.PyDataset`. If a batch is a tuple,
                `(inputs, targets)`, its first item is used. In a `tf.data.Dataset`, a
                vector is one sample.

        Raises:
            AttributeError: If the layer has been given `mean` and `variance`.
            TypeError: If `data` or a batch has the wrong type.
            ValueError: If `data` is empty, or the sizes of a batch along `axis` differ
                from those the layer was built with.
        """
        count, mean, squares = 0, 0.0, 0.0
        for batch in batches_of(data):
            batch = ops.convert_to_numpy(batch).astype("float64")
            if not self.built:
                self.build(batch.shape)
            others = tuple(axis for axis in range(batch.ndim) if axis not in self._axes)
            batch_mean = batch.mean(axis=others)
            if batch_mean.shape != self.adapt_mean.shape:
                raise ValueError(
                    f"`data` must have the sizes {self._sizes} along `axis`. "
                    f"Received: axis={self.axis}, a batch of shape {batch.shape}"
                )
            batch_count = batch.size // batch_mean.size
            # Chan et al., 1983: merges the statistics of two parts.
            difference = batch_mean - mean
            fraction = batch_count / (count + batch_count)
            mean = mean + fraction * difference
            squares = squares + batch_count * batch.var(axis=others)
            squares = squares + count * fraction * difference**2
            count += batch_count
        if count == 0:
            raise ValueError(f"`data` must not be empty. Received: data={data}")
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(squares / count)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "mean": None if self.input_mean is None else self.input_mean.tolist(),
            "variance": (
                None if self.input_variance is None else self.input_variance.tolist()
            ),
            "invert": self.invert,
        }
