"""`FeaturesBottleneckResNet`: a residual network."""

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(
    package="golden", name="FeaturesBottleneckResNet.BottleneckBlock"
)
class BottleneckBlock(keras.layers.Layer):
    """Residual block: `activation(conv3(conv2(conv1(inputs))) + shortcut(inputs))`.

    `conv1` and `conv3` are 1x1 convolutions; `conv3` has 4 times as many filters.
    Each is followed by batch normalization, the first two also by the activation.
    """

    def __init__(
        self, filters, strides=1, activation="relu", data_format=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.strides = strides
        self.activation = keras.activations.get(activation)
        self.data_format = data_format or keras.config.image_data_format()
        self.pad = None
        if strides > 1:
            self.pad = keras.layers.ZeroPadding2D(
                1, data_format=self.data_format, dtype=self.dtype_policy, name="pad"
            )
        self.conv1 = self._conv(filters, 1, 1, "conv1")
        self.norm1 = self._norm("norm1")
        self.conv2 = self._conv(filters, 3, strides, "conv2")
        self.norm2 = self._norm("norm2")
        self.conv3 = self._conv(4 * filters, 1, 1, "conv3")
        self.norm3 = self._norm("norm3")
        self.projection = self.projection_norm = None

    def build(self, input_shape):
        shape = input_shape
        convs = (self.conv1, self.conv2, self.conv3)
        norms = (self.norm1, self.norm2, self.norm3)
        for conv, norm in zip(convs, norms, strict=True):
            if conv.strides != (1, 1):
                shape = self.pad.compute_output_shape(shape)
            conv.build(shape)
            shape = conv.compute_output_shape(shape)
            norm.build(shape)
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        if self.strides > 1 or channels != 4 * self.filters:
            self.projection = self._conv(
                4 * self.filters, 1, self.strides, "projection"
            )
            self.projection.build(input_shape)
            self.projection_norm = self._norm("projection_norm")
            self.projection_norm.build(shape)

    def call(self, inputs, training=None):
        x = self.activation(self.norm1(self.conv1(inputs), training=training))
        x = x if self.pad is None else self.pad(x)
        x = self.norm2(self.conv2(x), training=training)
        x = self.norm3(self.conv3(self.activation(x)), training=training)
        shortcut = inputs
        if self.projection is not None:
            shortcut = self.projection_norm(self.projection(inputs), training=training)
        return self.activation(ops.add(x, shortcut))

    def compute_output_shape(self, input_shape):
        shape = input_shape
        if self.pad is not None:
            shape = self.pad.compute_output_shape(shape)
        shape = self.conv2.compute_output_shape(shape)
        return self.conv3.compute_output_shape(shape)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "strides": self.strides,
            "activation": keras.activations.serialize(self.activation),
            "data_format": self.data_format,
        }

    def _conv(self, filters, kernel_size, strides, name):
        return keras.layers.Conv2D(
            filters,
            kernel_size,
            strides=strides,
            padding="same" if strides == 1 else "valid",
            data_format=self.data_format,
            use_bias=False,
            kernel_initializer="he_normal",
            dtype=self.dtype_policy,
            name=name,
        )

    def _norm(self, name):
        return keras.layers.BatchNormalization(
            axis=-1 if self.data_format == "channels_last" else 1,
            momentum=0.9,
            epsilon=1e-5,
            dtype=self.dtype_policy,
            name=name,
        )


@keras.saving.register_keras_serializable(package="golden")
class FeaturesBottleneckResNet(keras.Model):
    """Residual network for images, of bottleneck blocks.

    The stem is a 7x7 convolution with strides of 2, batch normalization, the
    activation, and 3x3 max pooling with strides of 2. The stages follow; each but the
    first halves the height and width. The features of an image are the global average.

    The default arguments are those of ResNet-50; with `num_blocks=(3, 4, 23, 3)` it is
    ResNet-101, with `(3, 8, 36, 3)` ResNet-152. Blocks downsample in their 3x3
    convolution. With strides of 2, the zero padding is symmetric, as in KerasHub and
    Torch; `"same"` would pad an even size less at the start.

    Args:
        image_shape: Tuple of 3 positive ints, shape of one image:
            `(height, width, channels)`, or `(channels, height, width)` for
            `"channels_first"`.
        filters: Tuple of one or more positive ints, channels inside each stage's
            blocks, which output 4 times as many. Defaults to `(64, 128, 256, 512)`.
        num_blocks: Tuple of positive ints, one for each stage, number of blocks in it.
            Defaults to `(3, 4, 6, 3)`.
        small_images: Bool, whether the stem keeps the size of the images, as for CIFAR:
            a 3x3 convolution with strides of 1, and no pooling. Defaults to `False`.
        activation: Activation function or its name, `None` for the identity. Defaults
            to `"relu"`.
        data_format: `"channels_last"` or `"channels_first"`, case-insensitive; `None`
            for `keras.config.image_data_format()`. Defaults to `None`.
        dtype: Dtype or dtype policy of all layers. Defaults to Keras's global policy.
        name: String, name of the model. Defaults to a name derived from the class.
        trainable: Bool, whether the weights are trainable. Defaults to `True`.

    Input shape:
        `(batch, height, width, channels)` for `"channels_last"`,
        `(batch, channels, height, width)` for `"channels_first"`. Without oneDNN,
        TensorFlow supports `"channels_first"` on a CPU only in models compiled with
        `jit_compile=True`.

    Output shape:
        `(batch, 4 * filters[-1])`.

    Raises:
        TypeError: If `small_images` has the wrong type.
        ValueError: If an argument is invalid, or `num_blocks` is not as long as
            `filters`.

    Example:

    >>> model = FeaturesBottleneckResNet(
    ...     image_shape=(64, 64, 3), filters=(16, 32), num_blocks=(1, 1),
    ...     data_format="channels_last"
    ... )
    >>> tuple(model(keras.ops.ones((2, 64, 64, 3))).shape)
    (2, 128)

    Reference:
        [He et al., 2015](https://arxiv.org/abs/1512.03385)
    """

    def __init__(
        self,
        image_shape,
        filters=(64, 128, 256, 512),
        num_blocks=(3, 4, 6, 3),
        small_images=False,
        activation="relu",
        data_format=None,
        dtype=None,
        name=None,
        trainable=True,
    ):
        if (
            not isinstance(image_shape, (list, tuple))
            or len(image_shape) != 3
            or not all(is_int(item) and item > 0 for item in image_shape)
        ):
            raise ValueError(
                "`image_shape` must be a tuple of 3 positive ints. "
                f"Received: image_shape={image_shape!r}"
            )
        if not isinstance(num_blocks, (list, tuple)) or not all(
            is_int(item) and item > 0 for item in num_blocks
        ):
            raise ValueError(
                "`num_blocks` must be a tuple of positive ints. "
                f"Received: num_blocks={num_blocks!r}"
            )
        if not isinstance(small_images, bool):
            raise TypeError(
                "`small_images` must be a bool. "
                f"Received: small_images={small_images!r}"
            )
        if (
            not isinstance(filters, (list, tuple))
            or not filters
            or not all(is_int(item) and item > 0 for item in filters)
        ):
            raise ValueError(
                "`filters` must be a tuple of one or more positive ints. "
                f"Received: filters={filters!r}"
            )
        if data_format is None:
            data_format = keras.config.image_data_format()
        data_format = str(data_format).lower()
        if data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                "`data_format` must be 'channels_last' or 'channels_first'. "
                f"Received: data_format={data_format!r}"
            )
        if len(num_blocks) != len(filters):
            raise ValueError(
                "`num_blocks` must be as long as `filters`. "
                f"Received: filters={filters!r}, num_blocks={num_blocks!r}"
            )
        stem_pad = keras.layers.ZeroPadding2D(
            1 if small_images else 3,
            data_format=data_format,
            dtype=dtype,
            name="stem_pad",
        )
        stem = keras.layers.Conv2D(
            filters[0],
            3 if small_images else 7,
            strides=1 if small_images else 2,
            data_format=data_format,
            use_bias=False,
            kernel_initializer="he_normal",
            dtype=dtype,
            name="stem",
        )
        stem_norm = keras.layers.BatchNormalization(
            axis=-1 if data_format == "channels_last" else 1,
            momentum=0.9,
            epsilon=1e-5,
            dtype=dtype,
            name="stem_norm",
        )
        stem_activation = keras.layers.Activation(
            activation, dtype=dtype, name="stem_activation"
        )
        if not small_images:
            stem_pool_pad = keras.layers.ZeroPadding2D(
                1, data_format=data_format, dtype=dtype, name="stem_pool_pad"
            )
            stem_pool = keras.layers.MaxPooling2D(
                3,
                strides=2,
                data_format=data_format,
                dtype=dtype,
                name="stem_pool",
            )
        blocks = []
        for i, (channels, depth) in enumerate(zip(filters, num_blocks, strict=True)):
            blocks += [
                BottleneckBlock(
                    channels,
                    strides=2 if i > 0 and j == 0 else 1,
                    activation=activation,
                    data_format=data_format,
                    dtype=dtype,
                    name=f"stage_{i}_block_{j}",
                )
                for j in range(depth)
            ]
        global_pool = keras.layers.GlobalAveragePooling2D(
            data_format=data_format, dtype=dtype, name="global_pool"
        )
        inputs = keras.Input(image_shape)
        x = stem(stem_pad(inputs))
        x = stem_norm(x)
        x = stem_activation(x)
        if not small_images:
            x = stem_pool(stem_pool_pad(x))
        for block in blocks:
            x = block(x)
        outputs = global_pool(x)
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.image_shape = tuple(image_shape)
        self.filters = tuple(filters)
        self.num_blocks = tuple(num_blocks)
        self.small_images = small_images
        self.activation = keras.activations.get(activation)
        self.data_format = data_format

    def get_config(self):
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "filters": self.filters,
            "num_blocks": self.num_blocks,
            "small_images": self.small_images,
            "activation": keras.activations.serialize(self.activation),
            "data_format": self.data_format,
        }
