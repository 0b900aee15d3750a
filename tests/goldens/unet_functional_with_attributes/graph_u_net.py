"""`GraphUNet`: a U-Net."""

import numbers

import keras


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden", name="GraphUNet.DoubleConv")
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
class GraphUNet(keras.Model):
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
        image_shape: Tuple of 3 positive ints, height, width and channels of the images.
            Defaults to `(32, 48, 1)`.
        num_classes: Positive int, number of classes. Defaults to `2`.
        filters: Tuple of one or more positive ints, filters of each level. Each level
            has half the image size of the one above. Defaults to `(8, 16, 32)`.
        activation: Activation function after the normalizations or its name, `None` for
            the identity. Defaults to `"relu"`.
        dropout: Float in `[0, 1)`, dropout rate at the lowest level. Defaults to `0.0`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        dtype: Dtype or dtype policy of all layers. Defaults to Keras's global policy.
        name: String, name of the model. Defaults to a name derived from the class.
        trainable: Bool, whether the weights are trainable. Defaults to `True`.

    Input shape:
        `(batch, height, width, channels)`, with height and width multiples of
        `2 ** (len(filters) - 1)`.

    Output shape:
        `(batch, height, width, num_classes)`, a logit for each class.

    Raises:
        TypeError: If `label` has the wrong type.
        ValueError: If an argument is invalid, or the height or width of the images is
            known and not a multiple of `2 ** (len(filters) - 1)`.

    Example:

    >>> model = GraphUNet(image_shape=(8, 8, 1), num_classes=3, filters=(4, 8))
    >>> tuple(model(keras.ops.ones((2, 8, 8, 1))).shape)
    (2, 8, 8, 3)

    Reference:
        [Ronneberger et al., 2015](https://arxiv.org/abs/1505.04597)
    """

    def __init__(
        self,
        image_shape=(32, 48, 1),
        num_classes=2,
        filters=(8, 16, 32),
        activation="relu",
        dropout=0.0,
        gain=1.0,
        label="mine",
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
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
        if (
            not isinstance(filters, (list, tuple))
            or not filters
            or not all(is_int(item) and item > 0 for item in filters)
        ):
            raise ValueError(
                "`filters` must be a tuple of one or more positive ints. "
                f"Received: filters={filters!r}"
            )
        if any(size % 2 ** (len(filters) - 1) for size in image_shape[:2]):
            raise ValueError(
                "Height and width of the images must be multiples of "
                "`2 ** (len(filters) - 1)`. "
                f"Received: image_shape={image_shape}, filters={filters}"
            )
        # Images are channels-last, whatever Keras's default data format is.
        image = {"data_format": "channels_last", "dtype": dtype}
        steps_down, steps_up = [], []
        for i, size in enumerate(filters[:-1]):
            convs = DoubleConv(size, activation, dtype=dtype, name=f"down_{i}")
            pool = keras.layers.MaxPooling2D(2, name=f"pool_{i}", **image)
            steps_down.append((convs, pool))
        bottom = DoubleConv(filters[-1], activation, dtype=dtype, name="bottom")
        dropout_layer = keras.layers.Dropout(dropout, dtype=dtype, name="dropout")
        for i in reversed(range(len(filters) - 1)):
            enlarge = keras.layers.Conv2DTranspose(
                filters[i], 2, strides=2, name=f"enlarge_{i}", **image
            )
            join = keras.layers.Concatenate(axis=-1, dtype=dtype, name=f"join_{i}")
            convs = DoubleConv(filters[i], activation, dtype=dtype, name=f"up_{i}")
            steps_up.append((enlarge, join, convs))
        head = keras.layers.Conv2D(num_classes, 1, name="head", **image)
        inputs = keras.Input(image_shape)
        # TODO: use `self.gain` and `self.label`: they have no effect yet.
        x, levels = inputs, []
        for convs, pool in steps_down:
            levels.append(convs(x))
            x = pool(levels[-1])
        x = dropout_layer(bottom(x))
        for enlarge, join, convs in steps_up:
            x = convs(join([levels.pop(), enlarge(x)]))
        outputs = head(x)
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.image_shape = tuple(image_shape)
        self.num_classes = num_classes
        self.filters = tuple(filters)
        self.activation = keras.activations.get(activation)
        self.dropout = float(dropout)
        self.gain = float(gain)
        self.label = label

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
            "image_shape": self.image_shape,
            "num_classes": self.num_classes,
            "filters": self.filters,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "gain": self.gain,
            "label": self.label,
        }
