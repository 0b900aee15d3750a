"""`FeatureScaler`: adapted standardization."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="golden")
class FeatureScaler(keras.layers.Layer):
    """Standardization: `(inputs - mean) / sqrt(variance)`, adapted to data.

    `adapt(data)` takes the mean and the variance from data, once and before training;
    they are weights that no training changes, and are saved with the model. Until then
    they are 0 and 1, and the output is the input.

    The divisor is `keras.config.epsilon()` at least. With `invert=True` the output is
    `inputs * sqrt(variance) + mean`. The work is done in float32 at least.

    Args:
        axis: Tuple of ints, the axes along which each index has statistics of its own;
            empty for one mean and variance of all values. Defaults to `(1, 2)`.
        invert: Bool, whether to do the reverse: from standardized values back to the
            original ones. Defaults to `True`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.layers.Layer`.

    Input shape:
        Any, with the sizes along `axis` known.

    Output shape:
        That of the input.

    Raises:
        TypeError: If `label` is of another type.
        ValueError: If an argument is none of the values above, or the input has not all
            axes in `axis`, or its sizes along them are unknown or others than the layer
            was built with.

    Example:

    >>> layer = FeatureScaler(axis=(-1,), invert=False)
    >>> layer.adapt(keras.ops.array([[1.0, 10.0], [3.0, 50.0]]))
    >>> keras.ops.convert_to_numpy(layer(keras.ops.array([[3.0, 30.0]]))).tolist()
    [[1.0, 0.0]]

    Reference:
        As `keras.layers.Normalization`, but with `axis` as a tuple always, and without
        `mean` and `variance` as arguments.
    """

    def __init__(self, axis=(1, 2), invert=True, gain=1.0, label="mine", **kwargs):
        super().__init__(**kwargs)
        if not isinstance(axis, (list, tuple)) or not all(
            isinstance(item, int) for item in axis
        ):
            raise ValueError(f"`axis` must be a tuple of ints. Received: axis={axis!r}")
        if not isinstance(gain, (int, float)) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
        self.axis = tuple(axis)
        self.invert = invert
        self.gain = gain
        self.label = label
        self.supports_masking = True

    def build(self, input_shape):
        axes = self._axes_of(input_shape)
        sizes = tuple(input_shape[axis] for axis in axes)
        if None in sizes:
            raise ValueError(
                "The sizes along `axis` must be known. "
                f"Received: axis={self.axis}, input_shape={input_shape}"
            )
        self.mean = self.add_weight(
            name="mean",
            shape=sizes,
            initializer="zeros",
            trainable=False,
            autocast=False,
        )
        self.variance = self.add_weight(
            name="variance",
            shape=sizes,
            initializer="ones",
            trainable=False,
            autocast=False,
        )
        self.input_spec = keras.layers.InputSpec(
            ndim=len(input_shape), axes=dict(zip(axes, sizes, strict=True))
        )

    def call(self, inputs):
        # TODO: put `self.gain` and `self.label` to use: nothing depends on them yet.
        dtype = keras.backend.result_type(inputs.dtype, "float32")
        inputs = ops.cast(inputs, dtype)
        axes = self._axes_of(inputs.shape)
        shape = [size if i in axes else 1 for i, size in enumerate(inputs.shape)]
        mean = ops.reshape(ops.cast(self.mean, dtype), shape)
        variance = ops.reshape(ops.cast(self.variance, dtype), shape)
        deviation = ops.maximum(ops.sqrt(variance), keras.config.epsilon())
        if self.invert:
            outputs = inputs * deviation + mean
        else:
            outputs = (inputs - mean) / deviation
        return ops.cast(outputs, self.compute_dtype)

    def adapt(self, data):
        """Take the mean and the variance from `data`, in place of those from before.

        Args:
            data: An array, or an iterable of batches such as a `tf.data.Dataset`. Of a
                batch that is a tuple, `(inputs, targets)`, the first part counts.

        Raises:
            ValueError: If there is no batch in `data`.
        """
        count, mean, squares = 0, 0.0, 0.0
        for batch in [data] if hasattr(data, "shape") else data:
            batch = batch[0] if isinstance(batch, tuple) else batch
            batch = ops.convert_to_numpy(batch).astype("float64")
            if not self.built:
                self.build(batch.shape)
            axes = self._axes_of(batch.shape)
            others = tuple(axis for axis in range(batch.ndim) if axis not in axes)
            batch_mean = batch.mean(axis=others)
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
        self.mean.assign(mean)
        self.variance.assign(squares / count)

    def _axes_of(self, shape):
        """Return the axes in `axis`, counted from the first one, in order."""
        if not all(-len(shape) <= axis < len(shape) for axis in self.axis):
            raise ValueError(
                "`axis` must name axes of the input. "
                f"Received: axis={self.axis}, input_shape={shape}"
            )
        return sorted(axis % len(shape) for axis in self.axis)

    def compute_output_shape(self, input_shape):
        self._axes_of(input_shape)  # Refuses a shape without them.
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "invert": self.invert,
            "gain": self.gain,
            "label": self.label,
        }
