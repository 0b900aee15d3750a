"""`SequentialCNN`: a convolutional network."""

import numbers

import keras


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


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
    return tuple(values)


@keras.saving.register_keras_serializable(package="golden")
class SequentialCNN(keras.Sequential):
    """Convolutional network for images.

    Each block is `activation(norm(conv(x)))`: a convolution with `"same"` padding and
    no bias, and batch normalization. Max pooling with `"same"` padding is applied
    between blocks. The features of an image are the global average, with dropout.

    Args:
        image_shape: Tuple of 3 positive ints, shape of one image:
            `(height, width, channels)`, or `(channels, height, width)` for
            `"channels_first"`.
        num_classes: Positive int, number of classes; the model outputs a logit for
            each.
        filters: Tuple of one or more positive ints, output channels of each block.
            Defaults to `(32, 64, 128)`.
        kernel_size: Positive int or tuple of 2, kernel size of the convolutions.
            Defaults to `(3, 3)`.
        pool_size: Positive int or tuple of 2, size and strides of the pooling windows.
            Defaults to `(2, 2)`.
        activation: Activation function or its name, `None` for the identity. Defaults
            to `"relu"`.
        dropout: Float in `[0, 1)`, fraction of the features to drop in training.
            Defaults to `0.0`.
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
        `(batch, num_classes)`, a logit for each class.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = SequentialCNN(
    ...     image_shape=(32, 32, 3), num_classes=3, filters=(16, 32),
    ...     data_format="channels_last"
    ... )
    >>> tuple(model(keras.ops.ones((2, 32, 32, 3))).shape)
    (2, 3)

    Reference:
        [LeCun et al., 1998](https://doi.org/10.1109/5.726791)
    """

    def __init__(
        self,
        image_shape,
        num_classes,
        filters=(32, 64, 128),
        kernel_size=(3, 3),
        pool_size=(2, 2),
        activation="relu",
        dropout=0.0,
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
        if not is_int(num_classes) or num_classes <= 0:
            raise ValueError(
                "`num_classes` must be a positive int. "
                f"Received: num_classes={num_classes!r}"
            )
        kernel_size = int_tuple(kernel_size, 2, "kernel_size")
        pool_size = int_tuple(pool_size, 2, "pool_size")
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
        if data_format is None:
            data_format = keras.config.image_data_format()
        data_format = str(data_format).lower()
        if data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                "`data_format` must be 'channels_last' or 'channels_first'. "
                f"Received: data_format={data_format!r}"
            )
        feature_layers = []
        for i, channels in enumerate(filters):
            if i > 0:
                pool = keras.layers.MaxPooling2D(
                    pool_size,
                    padding="same",
                    data_format=data_format,
                    dtype=dtype,
                    name=f"pool_{i}",
                )
                feature_layers.append(pool)
            conv = keras.layers.Conv2D(
                channels,
                kernel_size,
                padding="same",
                data_format=data_format,
                use_bias=False,
                dtype=dtype,
                name=f"conv_{i}",
            )
            norm = keras.layers.BatchNormalization(
                axis=-1 if data_format == "channels_last" else 1,
                momentum=0.9,
                dtype=dtype,
                name=f"norm_{i}",
            )
            activate = keras.layers.Activation(
                activation, dtype=dtype, name=f"activation_{i}"
            )
            feature_layers += [conv, norm, activate]
        global_pool = keras.layers.GlobalAveragePooling2D(
            data_format=data_format, dtype=dtype, name="global_pool"
        )
        drop = keras.layers.Dropout(dropout, dtype=dtype, name="dropout")
        head = keras.layers.Dense(num_classes, dtype=dtype, name="head")
        inputs = keras.Input(image_shape)
        super().__init__(
            [inputs, *feature_layers, global_pool, drop, head],
            name=name,
            trainable=trainable,
        )
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.image_shape = tuple(image_shape)
        self.num_classes = num_classes
        self.filters = tuple(filters)
        self.kernel_size = kernel_size
        self.pool_size = pool_size
        self.activation = keras.activations.get(activation)
        self.dropout = float(dropout)
        self.data_format = data_format

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
            **keras.Model.get_config(self),
            "image_shape": self.image_shape,
            "num_classes": self.num_classes,
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "pool_size": self.pool_size,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "data_format": self.data_format,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)
