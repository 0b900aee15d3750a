"""`MyMobileNet`: a MobileNetV2."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


def scaled(channels, alpha):
    """Return the multiple of 8 nearest to `alpha * channels`, at least 90% of it."""
    nearest = max(8, int(alpha * channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * alpha * channels else nearest


@keras.saving.register_keras_serializable(
    package="golden", name="MyMobileNet.InvertedResidual"
)
class InvertedResidual(keras.layers.Layer):
    """Inverted residual block: `project(depthwise(expand(inputs))) + inputs`.

    `expand` multiplies the channels by `expansion`, and is omitted for 1. All three are
    followed by batch normalization, the first two also by the activation. The inputs
    are added if the output has their shape.
    """

    def __init__(
        self,
        filters,
        expansion=6,
        strides=1,
        activation="relu6",
        data_format=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.expansion = expansion
        self.strides = strides
        self.activation = keras.activations.get(activation)
        self.data_format = data_format or keras.config.image_data_format()

    def build(self, input_shape):
        # Created here, in the order of use: the sizes depend on the input's channels.
        shape = input_shape
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        self.expand = None
        if self.expansion > 1:
            self.expand = self._pointwise(self.expansion * channels, "expand")
            self.expand.build(shape)
            shape = self.expand.compute_output_shape(shape)
            self.expand_norm = self._norm("expand_norm")
            self.expand_norm.build(shape)
        self.depthwise = keras.layers.DepthwiseConv2D(
            3,
            strides=self.strides,
            padding="same",
            data_format=self.data_format,
            use_bias=False,
            dtype=self.dtype_policy,
            name="depthwise",
        )
        self.depthwise.build(shape)
        shape = self.depthwise.compute_output_shape(shape)
        self.depthwise_norm = self._norm("depthwise_norm")
        self.depthwise_norm.build(shape)
        self.project = self._pointwise(self.filters, "project")
        self.project.build(shape)
        self.project_norm = self._norm("project_norm")
        self.project_norm.build(self.project.compute_output_shape(shape))
        self.has_shortcut = self.strides == 1 and channels == self.filters

    def call(self, inputs, training=None):
        x = inputs
        if self.expand is not None:
            x = self.expand_norm(self.expand(x), training=training)
            x = self.activation(x)
        x = self.depthwise_norm(self.depthwise(x), training=training)
        x = self.project(self.activation(x))
        x = self.project_norm(x, training=training)
        return ops.add(x, inputs) if self.has_shortcut else x

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
            "strides": self.strides,
            "activation": keras.activations.serialize(self.activation),
            "data_format": self.data_format,
        }

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
            momentum=0.9,
            dtype=self.dtype_policy,
            name=name,
        )


@keras.saving.register_keras_serializable(package="golden")
class MyMobileNet(keras.Model):
    """MobileNetV2: a small network for images, of inverted residual blocks.

    The stem is a 3x3 convolution with strides of 2. The stages of blocks follow, then
    the top, a 1x1 convolution. Each convolution is followed by batch normalization, the
    stem and the top also by the activation. The features of an image are the global
    average.

    All numbers of channels are multiplied by `alpha` and rounded to multiples of 8, but
    those of the top are never reduced. All padding is `"same"`.

    Args:
        num_classes: Positive int, number of classes; the model outputs a logit for
            each.
        alpha: Positive float, width multiplier: scales all numbers of channels.
            Defaults to `1.0`.
        filters: Tuple of one or more positive ints, output channels of each stage's
            blocks. Defaults to `(16, 24, 32, 64, 96, 160, 320)`.
        num_blocks: Tuple of positive ints, one for each stage, number of blocks in it.
            Defaults to `(1, 2, 3, 4, 3, 3, 1)`.
        strides: Tuple of positive ints, one for each stage, strides of its first block.
            Defaults to `(1, 2, 2, 2, 1, 2, 1)`.
        expansions: Tuple of positive ints, one for each stage, expansion factor of the
            channels in its blocks. Defaults to `(1, 6, 6, 6, 6, 6, 6)`.
        stem_filters: Positive int, output channels of the first convolution. Defaults
            to `32`.
        top_filters: Positive int, output channels of the last convolution, not reduced
            by an `alpha` below 1. Defaults to `1280`.
        activation: Activation function or its name, `None` for the identity. Defaults
            to `"relu6"`.
        data_format: `"channels_last"` or `"channels_first"`, case-insensitive; `None`
            for `keras.config.image_data_format()`. Defaults to `None`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, height, width, channels)` for `"channels_last"`,
        `(batch, channels, height, width)` for `"channels_first"`. The height and width
        may differ between batches. Without oneDNN, TensorFlow supports
        `"channels_first"` on a CPU only in models compiled with `jit_compile=True`.

    Output shape:
        `(batch, num_classes)`, a logit for each class.

    Raises:
        ValueError: If an argument is invalid, or `num_blocks`, `strides` or
            `expansions` is not as long as `filters`.

    Example:

    >>> model = MyMobileNet(
    ...     num_classes=3, filters=(16,), num_blocks=(2,), strides=(2,),
    ...     expansions=(6,), top_filters=64, data_format="channels_last"
    ... )
    >>> tuple(model(keras.ops.ones((2, 64, 64, 3))).shape)
    (2, 3)

    Reference:
        [Sandler et al., 2018](https://arxiv.org/abs/1801.04381)
    """

    def __init__(
        self,
        num_classes,
        alpha=1.0,
        filters=(16, 24, 32, 64, 96, 160, 320),
        num_blocks=(1, 2, 3, 4, 3, 3, 1),
        strides=(1, 2, 2, 2, 1, 2, 1),
        expansions=(1, 6, 6, 6, 6, 6, 6),
        stem_filters=32,
        top_filters=1280,
        activation="relu6",
        data_format=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(num_classes) or num_classes <= 0:
            raise ValueError(
                "`num_classes` must be a positive int. "
                f"Received: num_classes={num_classes!r}"
            )
        if not isinstance(alpha, numbers.Real) or not alpha > 0:
            raise ValueError(
                f"`alpha` must be a float greater than 0. Received: alpha={alpha!r}"
            )
        if not isinstance(num_blocks, (list, tuple)) or not all(
            is_int(item) and item > 0 for item in num_blocks
        ):
            raise ValueError(
                "`num_blocks` must be a tuple of positive ints. "
                f"Received: num_blocks={num_blocks!r}"
            )
        if not isinstance(strides, (list, tuple)) or not all(
            is_int(item) and item > 0 for item in strides
        ):
            raise ValueError(
                "`strides` must be a tuple of positive ints. "
                f"Received: strides={strides!r}"
            )
        if not isinstance(expansions, (list, tuple)) or not all(
            is_int(item) and item > 0 for item in expansions
        ):
            raise ValueError(
                "`expansions` must be a tuple of positive ints. "
                f"Received: expansions={expansions!r}"
            )
        if not is_int(stem_filters) or stem_filters <= 0:
            raise ValueError(
                "`stem_filters` must be a positive int. "
                f"Received: stem_filters={stem_filters!r}"
            )
        if not is_int(top_filters) or top_filters <= 0:
            raise ValueError(
                "`top_filters` must be a positive int. "
                f"Received: top_filters={top_filters!r}"
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
        by_name = {
            "num_blocks": num_blocks,
            "strides": strides,
            "expansions": expansions,
        }
        for argument, values in by_name.items():
            if len(values) != len(filters):
                raise ValueError(
                    f"`{argument}` must be as long as `filters`. "
                    f"Received: {argument}={values!r}, filters={filters!r}"
                )
        self.num_classes = num_classes
        self.alpha = float(alpha)
        self.filters = tuple(filters)
        self.num_blocks = tuple(num_blocks)
        self.strides = tuple(strides)
        self.expansions = tuple(expansions)
        self.stem_filters = stem_filters
        self.top_filters = top_filters
        self.activation = keras.activations.get(activation)
        self.data_format = data_format
        self.stem = keras.layers.Conv2D(
            scaled(stem_filters, alpha),
            3,
            strides=2,
            padding="same",
            data_format=data_format,
            use_bias=False,
            dtype=self.dtype_policy,
            name="stem",
        )
        self.stem_norm = keras.layers.BatchNormalization(
            axis=-1 if data_format == "channels_last" else 1,
            momentum=0.9,
            dtype=self.dtype_policy,
            name="stem_norm",
        )
        self.stem_activation = keras.layers.Activation(
            activation, dtype=self.dtype_policy, name="stem_activation"
        )
        self.blocks = []
        stages = zip(filters, num_blocks, strides, expansions, strict=True)
        for i, (channels, depth, stride, expansion) in enumerate(stages):
            self.blocks += [
                InvertedResidual(
                    scaled(channels, alpha),
                    expansion=expansion,
                    strides=stride if j == 0 else 1,
                    activation=activation,
                    data_format=data_format,
                    dtype=self.dtype_policy,
                    name=f"stage_{i}_block_{j}",
                )
                for j in range(depth)
            ]
        self.top = keras.layers.Conv2D(
            scaled(top_filters, max(alpha, 1)),
            1,
            data_format=data_format,
            use_bias=False,
            dtype=self.dtype_policy,
            name="top",
        )
        self.top_norm = keras.layers.BatchNormalization(
            axis=-1 if data_format == "channels_last" else 1,
            momentum=0.9,
            dtype=self.dtype_policy,
            name="top_norm",
        )
        self.top_activation = keras.layers.Activation(
            activation, dtype=self.dtype_policy, name="top_activation"
        )
        self.global_pool = keras.layers.GlobalAveragePooling2D(
            data_format=data_format, dtype=self.dtype_policy, name="global_pool"
        )
        self.head = keras.layers.Dense(
            num_classes, dtype=self.dtype_policy, name="head"
        )

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(keras.Input(batch_shape=input_shape))

    def call(self, inputs, training=None):
        x = self.stem_norm(self.stem(inputs), training=training)
        x = self.stem_activation(x)
        for block in self.blocks:
            x = block(x, training=training)
        x = self.top_norm(self.top(x), training=training)
        x = self.top_activation(x)
        return self.head(self.global_pool(x))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_classes)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile the model with a suitable optimizer, loss and metrics.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate),
                "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                "metrics": ["accuracy"],
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "alpha": self.alpha,
            "filters": self.filters,
            "num_blocks": self.num_blocks,
            "strides": self.strides,
            "expansions": self.expansions,
            "stem_filters": self.stem_filters,
            "top_filters": self.top_filters,
            "activation": keras.activations.serialize(self.activation),
            "data_format": self.data_format,
        }
