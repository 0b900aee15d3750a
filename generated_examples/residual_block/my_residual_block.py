"""`MyResidualBlock`: a residual block."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def int_tuple(value, length, name):
    """Return the argument `name` as a tuple of `length` positive ints.

    A single int is repeated. Raises `ValueError` for anything else.
    """
    values = (value,) * length if is_int(value) else value
    if (
        not isinstance(values, (list, tuple))
        or len(values) != length
        or not all(is_int(item) and item > 0 for item in values)
    ):
        raise ValueError(
            f"`{name}` must be a positive int, or a tuple of positive ints of length "
            f"{length}. Received: {name}={value!r}"
        )
    return tuple(map(int, values))


@keras.saving.register_keras_serializable(package="examples")
class MyResidualBlock(keras.layers.Layer):
    """Residual block: `activation(residual(inputs) + shortcut(inputs))`.

    `residual` consists of two convolutions, each followed by batch normalization, with
    the activation in between.

    `shortcut` is the identity if the output has the shape of the input, that is if
    `strides` is 1 and `filters` equals the number of input channels. Otherwise it is a
    1x1 convolution with the same strides, followed by batch normalization.

    All convolutions have padding `"same"` and no bias, since batch normalization adds
    one.

    Args:
        filters: Positive int, number of output channels.
        kernel_size: Positive int or tuple of length 2, size of both kernels. Defaults
            to `(3, 3)`.
        strides: Positive int or tuple of length 2, stride of the first convolution and
            of the shortcut. Defaults to `(1, 1)`.
        activation: Activation function or its name, `None` for the identity. Defaults
            to `"relu"`.
        data_format: `"channels_last"` or `"channels_first"`, case-insensitive; `None`
            for `keras.config.image_data_format()`. Defaults to `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, height, width, channels)` for `"channels_last"`,
        `(batch, channels, height, width)` for `"channels_first"`.

        The number of channels must be known. Without oneDNN, TensorFlow supports
        `"channels_first"` on a CPU only in models compiled with `jit_compile=True`.

    Output shape:
        `(batch, new_height, new_width, filters)` or
        `(batch, filters, new_height, new_width)`.

        The new sizes are `ceil(size / stride)`.

    Raises:
        ValueError: If an argument is invalid, the input does not have rank 4, or its
            number of channels is unknown or not the one the layer was built with.

    Example:

    >>> layer = MyResidualBlock(16, strides=2, data_format="channels_last")
    >>> tuple(layer(keras.ops.ones((2, 8, 8, 3))).shape)
    (2, 4, 4, 16)

    Reference:
        [He et al., 2015](https://arxiv.org/abs/1512.03385)
    """

    def __init__(
        self,
        filters,
        kernel_size=(3, 3),
        strides=(1, 1),
        activation="relu",
        data_format=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(filters) or filters <= 0:
            raise ValueError(
                f"`filters` must be a positive int. Received: filters={filters!r}"
            )
        kernel_size = int_tuple(kernel_size, 2, "kernel_size")
        strides = int_tuple(strides, 2, "strides")
        if data_format is None:
            data_format = keras.config.image_data_format()
        data_format = str(data_format).lower()
        if data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                "`data_format` must be 'channels_last' or 'channels_first'. "
                f"Received: data_format={data_format!r}"
            )
        self.filters = int(filters)
        self.kernel_size = kernel_size
        self.strides = strides
        self.activation = keras.activations.get(activation)
        self.data_format = data_format
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.conv1 = self._conv(self.kernel_size, self.strides, "conv1")
        self.norm1 = self._norm("norm1")
        self.conv2 = self._conv(self.kernel_size, 1, "conv2")
        self.norm2 = self._norm("norm2")
        self.projection = self.projection_norm = None

    def build(self, input_shape):
        channel_axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[channel_axis]
        if channels is None:
            raise ValueError(
                "The number of input channels must be known. "
                f"Received: input_shape={input_shape}"
            )
        output_shape = self.compute_output_shape(input_shape)
        self.conv1.build(input_shape)
        self.norm1.build(output_shape)
        self.conv2.build(output_shape)
        self.norm2.build(output_shape)
        if channels != self.filters or self.strides != (1, 1):
            self.projection = self._conv(1, self.strides, "projection")
            self.projection.build(input_shape)
            self.projection_norm = self._norm("projection_norm")
            self.projection_norm.build(output_shape)
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={channel_axis: channels})

    def call(self, inputs, training=None):
        outputs = self.norm1(self.conv1(inputs), training=training)
        outputs = self.conv2(self.activation(outputs))
        outputs = self.norm2(outputs, training=training)
        shortcut = inputs
        if self.projection is not None:
            shortcut = self.projection(inputs)
            shortcut = self.projection_norm(shortcut, training=training)
        return self.activation(ops.add(outputs, shortcut))

    def _conv(self, kernel_size, strides, name):
        return keras.layers.Conv2D(
            self.filters,
            kernel_size,
            strides=strides,
            padding="same",
            data_format=self.data_format,
            use_bias=False,
            kernel_initializer="he_normal",
            dtype=self.dtype_policy,
            name=name,
        )

    def _norm(self, name):
        return keras.layers.BatchNormalization(
            axis=-1 if self.data_format == "channels_last" else 1,
            dtype=self.dtype_policy,
            name=name,
        )

    def compute_output_shape(self, input_shape):
        return self.conv1.compute_output_shape(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "activation": keras.activations.serialize(self.activation),
            "data_format": self.data_format,
        }
