"""`MyMBConv`: an inverted residual block with squeeze-and-excitation."""

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
class MyMBConv(keras.layers.Layer):
    """MBConv: an inverted residual block with squeeze-and-excitation.

    The output is `project(scaled(depthwise(expand(inputs)))) + inputs`.

    `expand` is a 1x1 convolution to `expansion` times the channels, `depthwise` a
    depthwise convolution, and `project` a 1x1 convolution to `filters` channels. All
    have padding `"same"`, no bias, and are followed by batch normalization and, except
    `project`, the activation.

    `scaled` multiplies each channel by a weight from 0 to 1, computed from all
    channels: their means over the image are passed through two dense layers, `squeeze`
    and `excite`.

    The inputs are added if the output has the same shape, that is if `strides` is 1 and
    `filters` equals the number of input channels.

    Args:
        filters: Positive int, number of output channels.
        expansion: Positive int, factor by which `expand` multiplies the number of
            channels; with 1 there is no `expand`. Defaults to `6`.
        kernel_size: Positive int or tuple of length 2, kernel size of `depthwise`.
            Defaults to `(3, 3)`.
        strides: Positive int, stride along both axes. Defaults to `1`.
        activation: Activation function or its name, `None` for the identity. Defaults
            to `"silu"`.
        squeeze_ratio: Positive float, units of `squeeze` as a fraction of the input
            channels, at least 1 unit. Defaults to `0.25`.
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

        The new sizes are `ceil(size / strides)`.

    Raises:
        ValueError: If an argument is invalid, the input does not have rank 4, or its
            number of channels is unknown or not the one the layer was built with.

    Example:

    >>> layer = MyMBConv(16, strides=2, data_format="channels_last")
    >>> tuple(layer(keras.ops.ones((2, 8, 8, 3))).shape)
    (2, 4, 4, 16)

    Reference:
        [Tan and Le, 2019](https://arxiv.org/abs/1905.11946)
    """

    def __init__(
        self,
        filters,
        expansion=6,
        kernel_size=(3, 3),
        strides=1,
        activation="silu",
        squeeze_ratio=0.25,
        data_format=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(filters) or filters <= 0:
            raise ValueError(
                f"`filters` must be a positive int. Received: filters={filters!r}"
            )
        if not is_int(expansion) or expansion <= 0:
            raise ValueError(
                f"`expansion` must be a positive int. Received: expansion={expansion!r}"
            )
        kernel_size = int_tuple(kernel_size, 2, "kernel_size")
        if not is_int(strides) or strides <= 0:
            raise ValueError(
                f"`strides` must be a positive int. Received: strides={strides!r}"
            )
        if not isinstance(squeeze_ratio, numbers.Real) or not squeeze_ratio > 0:
            raise ValueError(
                "`squeeze_ratio` must be a float greater than 0. "
                f"Received: squeeze_ratio={squeeze_ratio!r}"
            )
        if data_format is None:
            data_format = keras.config.image_data_format()
        data_format = str(data_format).lower()
        if data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                "`data_format` must be 'channels_last' or 'channels_first'. "
                f"Received: data_format={data_format!r}"
            )
        self.filters = int(filters)
        self.expansion = int(expansion)
        self.kernel_size = kernel_size
        self.strides = int(strides)
        self.activation = keras.activations.get(activation)
        self.squeeze_ratio = float(squeeze_ratio)
        self.data_format = data_format
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        channel_axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[channel_axis]
        if channels is None:
            raise ValueError(
                "The number of input channels must be known. "
                f"Received: input_shape={input_shape}"
            )
        self.expand, expanded_shape = None, input_shape
        if self.expansion > 1:
            self.expand = self._pointwise(channels * self.expansion, "expand")
            self.expand.build(input_shape)
            expanded_shape = self.expand.compute_output_shape(input_shape)
            self.expand_norm = self._norm("expand_norm")
            self.expand_norm.build(expanded_shape)
        self.depthwise = keras.layers.DepthwiseConv2D(
            self.kernel_size,
            strides=self.strides,
            padding="same",
            data_format=self.data_format,
            use_bias=False,
            dtype=self.dtype_policy,
            name="depthwise",
        )
        self.depthwise.build(expanded_shape)
        filtered_shape = self.depthwise.compute_output_shape(expanded_shape)
        self.depthwise_norm = self._norm("depthwise_norm")
        self.depthwise_norm.build(filtered_shape)
        self.pool = keras.layers.GlobalAveragePooling2D(
            data_format=self.data_format, dtype=self.dtype_policy, name="pool"
        )
        self.pool.build(filtered_shape)
        self.squeeze = keras.layers.Dense(
            max(int(channels * self.squeeze_ratio), 1),
            activation=self.activation,
            dtype=self.dtype_policy,
            name="squeeze",
        )
        self.squeeze.build((None, channels * self.expansion))
        self.excite = keras.layers.Dense(
            channels * self.expansion,
            activation="sigmoid",
            dtype=self.dtype_policy,
            name="excite",
        )
        self.excite.build((None, self.squeeze.units))
        self.project = self._pointwise(self.filters, "project")
        self.project.build(filtered_shape)
        self.project_norm = self._norm("project_norm")
        self.project_norm.build(self.compute_output_shape(input_shape))
        self.has_shortcut = self.strides == 1 and channels == self.filters
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={channel_axis: channels})

    def call(self, inputs, training=None):
        outputs = inputs
        if self.expand is not None:
            outputs = self.expand_norm(self.expand(outputs), training=training)
            outputs = self.activation(outputs)
        outputs = self.depthwise_norm(self.depthwise(outputs), training=training)
        outputs = self.activation(outputs)
        weights = self.excite(self.squeeze(self.pool(outputs)))
        if self.data_format == "channels_last":
            weights = ops.reshape(weights, (-1, 1, 1, self.excite.units))
        else:
            weights = ops.reshape(weights, (-1, self.excite.units, 1, 1))
        outputs = ops.multiply(outputs, weights)
        outputs = self.project_norm(self.project(outputs), training=training)
        return ops.add(outputs, inputs) if self.has_shortcut else outputs

    def _pointwise(self, filters, name):
        return keras.layers.Conv2D(
            filters,
            1,
            data_format=self.data_format,
            use_bias=False,
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
        channels_last = self.data_format == "channels_last"
        sizes = input_shape[1:-1] if channels_last else input_shape[2:]
        sizes = [None if size is None else -(-size // self.strides) for size in sizes]
        if channels_last:
            return (input_shape[0], *sizes, self.filters)
        return (input_shape[0], self.filters, *sizes)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "expansion": self.expansion,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "activation": keras.activations.serialize(self.activation),
            "squeeze_ratio": self.squeeze_ratio,
            "data_format": self.data_format,
        }
