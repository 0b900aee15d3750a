"""`MyStandardization`: adapted standardization."""

import numbers

import keras
import numpy as np
from keras import ops


def is_int(value):
    """Return whether `value` is an int, of Python or NumPy, and not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def batches_of(data):
    """Yield the inputs of each batch in `data`; an array is a batch in itself."""
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
            raise TypeError(f"`data` must hold arrays or tensors. Received: {inputs!r}")
        yield inputs


def inputs_of(batch):
    """Return the inputs of a batch, which may be `(inputs, targets)`."""
    return batch[0] if isinstance(batch, tuple) else batch


@keras.saving.register_keras_serializable(package="examples")
class MyStandardization(keras.layers.Layer):
    """Standardization: `(inputs - mean) / sqrt(variance)`, adapted to data.

    `adapt(data)` takes the mean and the variance from data, once and before training;
    they are weights that no training changes, and are saved with the model. Until then
    they are 0 and 1, and the output is the input. A layer with `mean` and `variance`
    given has no weights.

    The divisor is `keras.config.epsilon()` at least. With `invert=True` the output is
    `inputs * sqrt(variance) + mean`. The work is done in float32 at least: a dtype
    policy narrows inputs and outputs only.

    Args:
        axis: Int, list or tuple of ints, or `None`: the axes along which each index has
            a mean and a variance of its own. `None` for one of each for all values.
            Defaults to `-1`.
        mean: Number, list or array: the mean to use in place of one from `adapt`, in a
            shape that broadcasts to the sizes along `axis`. Only with `variance`.
            Defaults to `None`.
        variance: Number, list or array: the variance that goes with `mean`, in the same
            shape. Defaults to `None`.
        invert: Bool, whether to do the reverse: from standardized values back to the
            original ones. Defaults to `False`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.layers.Layer`.

    Input shape:
        Any, with the sizes along `axis` known.

    Output shape:
        That of the input.

    Raises:
        TypeError: If `axis` is of another type.
        ValueError: If an argument is none of the values above, one of `mean` and
            `variance` is given without the other or in another shape, or they do not
            broadcast to the sizes along `axis`; or the input has not all of the axes in
            `axis` or their sizes are unknown.

    Example:

    >>> layer = MyStandardization(axis=-1)
    >>> layer.adapt(keras.ops.array([[1.0, 10.0], [3.0, 50.0]]))
    >>> keras.ops.convert_to_numpy(layer(keras.ops.array([[3.0, 30.0]]))).tolist()
    [[1.0, 0.0]]

    Reference:
        Drop-in for `keras.layers.Normalization`, without its use inside `tf.data` on
        other backends than TensorFlow.
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
                "`mean` must not have more axes than there are in `axis`. "
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
                "`axis` must name axes of the input. "
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
            np.broadcast_to(self.input_mean, self._sizes)  # Refuses what does not fit.
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
        # It counts nothing, but is among the weights of `keras.layers.Normalization`.
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
        """The mean in use, in a shape that broadcasts with the inputs."""
        return self._spread(
            self.adapt_mean if self.input_mean is None else self.input_mean
        )

    @property
    def variance(self):
        """The variance in use, in a shape that broadcasts with the inputs."""
        return self._spread(
            self.adapt_variance if self.input_mean is None else self.input_variance
        )

    def _spread(self, statistic):
        """Return `statistic` in float32 at least, with size 1 along all other axes."""
        dtype = keras.backend.result_type(self.compute_dtype, "float32")
        statistic = ops.broadcast_to(ops.cast(statistic, dtype), self._sizes)
        return ops.reshape(statistic, self._shape)

    def adapt(self, data):
        """Take the mean and the variance from `data`, in place of those from before.

        Args:
            data: An array, or an iterable of batches: a list, a generator, a
                `tf.data.Dataset` or a `keras.utils.PyDataset`. Of a batch that is a
                tuple, `(inputs, targets)`, the first part counts. In a
                `tf.data.Dataset`, a vector is one item.

        Raises:
            AttributeError: If the layer has been given `mean` and `variance`.
            TypeError: If `data` or a batch is none of these.
            ValueError: If there is no batch in `data`, or one has other sizes along
                `axis` than the layer was built with.
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
            # Chan et al., 1983: how to merge the statistics of two parts.
            apart = batch_mean - mean
            share = batch_count / (count + batch_count)
            mean = mean + share * apart
            squares = squares + batch_count * batch.var(axis=others)
            squares = squares + count * share * apart**2
            count += batch_count
        if count == 0:
            raise ValueError(
                f"`data` must hold a batch at least. Received: data={data}"
            )
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
