"""`WideCNN`: a convolutional network."""

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
class WideCNN(keras.Model):
    """Convolutional network for images.

    Each block is `activation(norm(conv(x)))`: a convolution with `"same"` padding and
    no bias, and batch normalization. Max pooling with `"same"` padding is applied
    between blocks. The features of an image are the global average, with dropout.

    Args:
        num_classes: Positive int, number of classes; the model outputs a logit for
            each. Defaults to `2`.
        filters: Tuple of one or more positive ints, output channels of each block.
            Defaults to `(64, 64)`.
        kernel_size: Positive int or tuple of 2, kernel size of the convolutions.
            Defaults to `(5, 3)`.
        pool_size: Positive int or tuple of 2, size and strides of the pooling windows.
            Defaults to `(3, 3)`.
        activation: Activation function or its name, `None` for the identity. Defaults
            to `"gelu"`.
        dropout: Float in `[0, 1)`, fraction of the features to drop in training.
            Defaults to `0.1`.
        data_format: `"channels_last"` or `"channels_first"`, case-insensitive; `None`
            for `keras.config.image_data_format()`. Defaults to `"channels_first"`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, height, width, channels)` for `"channels_last"`,
        `(batch, channels, height, width)` for `"channels_first"`. The height and width
        may differ between batches. Without oneDNN, TensorFlow supports
        `"channels_first"` on a CPU only in models compiled with `jit_compile=True`.

    Output shape:
        `(batch, num_classes)`, a logit for each class.

    Raises:
        TypeError: If `label` has the wrong type.
        ValueError: If an argument is invalid.

    Example:

    >>> model = WideCNN(num_classes=3, filters=(16, 32), data_format="channels_last")
    >>> tuple(model(keras.ops.ones((2, 32, 32, 3))).shape)
    (2, 3)

    Reference:
        [LeCun et al., 1998](https://doi.org/10.1109/5.726791)
    """

    def __init__(
        self,
        num_classes=2,
        filters=(64, 64),
        kernel_size=(5, 3),
        pool_size=(3, 3),
        activation="gelu",
        dropout=0.1,
        data_format="channels_first",
        gain=1.0,
        label="mine",
        **kwargs,
    ):
        super().__init__(**kwargs)
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
        if data_format is None:
            data_format = keras.config.image_data_format()
        data_format = str(data_format).lower()
        if data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                "`data_format` must be 'channels_last' or 'channels_first'. "
                f"Received: data_format={data_format!r}"
            )
        self.num_classes = num_classes
        self.filters = tuple(filters)
        self.kernel_size = kernel_size
        self.pool_size = pool_size
        self.activation = keras.activations.get(activation)
        self.dropout = float(dropout)
        self.data_format = data_format
        self.gain = float(gain)
        self.label = label
        self.feature_layers = []
        for i, channels in enumerate(filters):
            if i > 0:
                pool = keras.layers.MaxPooling2D(
                    pool_size,
                    padding="same",
                    data_format=data_format,
                    dtype=self.dtype_policy,
                    name=f"pool_{i}",
                )
                self.feature_layers.append(pool)
            conv = keras.layers.Conv2D(
                channels,
                kernel_size,
                padding="same",
                data_format=data_format,
                use_bias=False,
                dtype=self.dtype_policy,
                name=f"conv_{i}",
            )
            norm = keras.layers.BatchNormalization(
                axis=-1 if data_format == "channels_last" else 1,
                momentum=0.9,
                dtype=self.dtype_policy,
                name=f"norm_{i}",
            )
            activate = keras.layers.Activation(
                activation, dtype=self.dtype_policy, name=f"activation_{i}"
            )
            self.feature_layers += [conv, norm, activate]
        self.global_pool = keras.layers.GlobalAveragePooling2D(
            data_format=data_format, dtype=self.dtype_policy, name="global_pool"
        )
        self.drop = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="dropout"
        )
        self.head = keras.layers.Dense(
            num_classes, dtype=self.dtype_policy, name="head"
        )

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(keras.Input(batch_shape=input_shape))

    def call(self, inputs, training=None):
        # TODO: use `self.gain` and `self.label`: they have no effect yet.
        x = inputs
        for layer in self.feature_layers:
            x = layer(x, training=training)
        x = self.global_pool(x)
        return self.head(self.drop(x, training=training))

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
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "pool_size": self.pool_size,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "data_format": self.data_format,
            "gain": self.gain,
            "label": self.label,
        }
