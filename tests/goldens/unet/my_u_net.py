"""`MyUNet`: a U-Net."""

import numbers

import keras


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden", name="MyUNet.DoubleConv")
class DoubleConv(keras.layers.Layer):
    """Two convolutions, each with batch normalization and an activation."""

    def __init__(self, filters, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.activation = keras.activations.get(activation)
        self.conv1 = self._conv("conv1")
        self.norm1 = keras.layers.BatchNormalization(
            dtype=self.dtype_policy, name="norm1"
        )
        self.conv2 = self._conv("conv2")
        self.norm2 = keras.layers.BatchNormalization(
            dtype=self.dtype_policy, name="norm2"
        )

    def _conv(self, name):
        # Without a bias, since the normalization has one.
        return keras.layers.Conv2D(
            self.filters,
            3,
            padding="same",
            data_format="channels_last",
            use_bias=False,
            kernel_initializer="he_normal",
            dtype=self.dtype_policy,
            name=name,
        )

    def build(self, input_shape):
        output_shape = self.compute_output_shape(input_shape)
        self.conv1.build(input_shape)
        self.norm1.build(output_shape)
        self.conv2.build(output_shape)
        self.norm2.build(output_shape)

    def call(self, inputs, training=None):
        x = self.activation(self.norm1(self.conv1(inputs), training=training))
        return self.activation(self.norm2(self.conv2(x), training=training))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "activation": keras.activations.serialize(self.activation),
        }


@keras.saving.register_keras_serializable(package="golden")
class MyUNet(keras.Model):
    """U-Net: classifies each pixel of an image.

    On the way down, each level has two convolutions, and 2x2 max pooling leads to the
    next level. On the way up, a transposed convolution doubles the height and width,
    and two convolutions process the result together with the output of the same level
    on the way down::

        down[i] = convolutions(pool(down[i - 1]))
        up[i] = convolutions([down[i]; enlarge(up[i + 1])])

    A 1x1 convolution maps each pixel to its logits. As is common today, but unlike in
    the paper, the convolutions are padded, so that the output has the size of the
    image, and followed by batch normalization.

    Args:
        num_classes: Positive int, number of classes.
        filters: Tuple of one or more positive ints, filters of each level. Each level
            has half the image size of the one above. Defaults to
            `(64, 128, 256, 512, 1024)`.
        activation: Activation function after the normalizations or its name, `None` for
            the identity. Defaults to `"relu"`.
        dropout: Float in `[0, 1)`, dropout rate at the lowest level. Defaults to `0.0`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, height, width, channels)`, with height and width multiples of
        `2 ** (len(filters) - 1)`.

    Output shape:
        `(batch, height, width, num_classes)`, a logit for each class.

    Raises:
        ValueError: If an argument is invalid, or the height or width of the images is
            known and not a multiple of `2 ** (len(filters) - 1)`.

    Example:

    >>> model = MyUNet(num_classes=3, filters=(4, 8))
    >>> tuple(model(keras.ops.ones((2, 8, 8, 1))).shape)
    (2, 8, 8, 3)

    Reference:
        [Ronneberger et al., 2015](https://arxiv.org/abs/1505.04597)
    """

    def __init__(
        self,
        num_classes,
        filters=(64, 128, 256, 512, 1024),
        activation="relu",
        dropout=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(num_classes) or num_classes <= 0:
            raise ValueError(
                "`num_classes` must be a positive int. "
                f"Received: num_classes={num_classes!r}"
            )
        if not isinstance(dropout, numbers.Real) or not 0 <= dropout < 1:
            raise ValueError(
                "`dropout` must be a float in the range [0, 1). "
                f"Received: dropout={dropout!r}"
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
        self.num_classes = num_classes
        self.filters = tuple(filters)
        self.activation = keras.activations.get(activation)
        self.dropout = float(dropout)
        # Images are channels-last, whatever Keras's default data format is.
        image = {"data_format": "channels_last", "dtype": self.dtype_policy}
        self.steps_down, self.steps_up = [], []
        for i, size in enumerate(filters[:-1]):
            convs = DoubleConv(
                size, activation, dtype=self.dtype_policy, name=f"down_{i}"
            )
            pool = keras.layers.MaxPooling2D(2, name=f"pool_{i}", **image)
            self.steps_down.append((convs, pool))
        self.bottom = DoubleConv(
            filters[-1], activation, dtype=self.dtype_policy, name="bottom"
        )
        self.dropout_layer = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="dropout"
        )
        for i in reversed(range(len(filters) - 1)):
            enlarge = keras.layers.Conv2DTranspose(
                filters[i], 2, strides=2, name=f"enlarge_{i}", **image
            )
            join = keras.layers.Concatenate(
                axis=-1, dtype=self.dtype_policy, name=f"join_{i}"
            )
            convs = DoubleConv(
                filters[i], activation, dtype=self.dtype_policy, name=f"up_{i}"
            )
            self.steps_up.append((enlarge, join, convs))
        self.head = keras.layers.Conv2D(num_classes, 1, name="head", **image)

    def build(self, input_shape):
        if any(
            size is not None and size % 2 ** (len(self.filters) - 1)
            for size in input_shape[1:3]
        ):
            raise ValueError(
                "Height and width of the images must be multiples of "
                "`2 ** (len(filters) - 1)`. "
                f"Received: input_shape={input_shape}, filters={self.filters}"
            )
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(keras.Input(batch_shape=input_shape))

    def call(self, inputs, training=None):
        x, levels = inputs, []
        for convs, pool in self.steps_down:
            levels.append(convs(x, training=training))
            x = pool(levels[-1])
        x = self.dropout_layer(self.bottom(x, training=training), training=training)
        for enlarge, join, convs in self.steps_up:
            x = convs(join([levels.pop(), enlarge(x)]), training=training)
        return self.head(x)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.num_classes)

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
            "filters": self.filters,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
        }
