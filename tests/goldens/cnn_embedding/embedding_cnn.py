"""`EmbeddingCNN`: a convolutional network."""

import numbers

import keras
from keras import ops


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


@keras.saving.register_keras_serializable(
    package="golden", name="EmbeddingCNN.UnitLength"
)
class UnitLength(keras.layers.Layer):
    """Scales the last axis of the inputs to length 1."""

    def call(self, inputs):
        # In float32, since squares easily overflow in float16. Zeros stay zeros and
        # have a finite gradient.
        x = ops.cast(inputs, keras.backend.result_type(self.compute_dtype, "float32"))
        squares = ops.sum(ops.square(x), axis=-1, keepdims=True)
        return ops.cast(x * ops.rsqrt(ops.maximum(squares, 1e-6)), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable(
    package="golden", name="EmbeddingCNN.supervised_contrastive_loss"
)
def supervised_contrastive_loss(labels, embeddings, temperature=0.1):
    """Return the supervised contrastive loss of labeled embeddings.

    Args:
        labels: Ints of shape `(batch,)` or `(batch, 1)`.
        embeddings: Unit vectors of shape `(batch, dim)`.
        temperature: Positive float. Lower values put more weight on near embeddings.

    Returns:
        The loss of each sample, of shape `(batch,)`; 0 if no other has its label.

    Reference:
        [Khosla et al., 2020](https://arxiv.org/abs/2004.11362)
    """
    labels = ops.reshape(labels, (-1, 1))
    similarity = ops.matmul(embeddings, ops.transpose(embeddings)) / temperature
    itself = ops.eye(ops.shape(similarity)[0], dtype=similarity.dtype)
    positives = (
        ops.cast(ops.equal(labels, ops.transpose(labels)), similarity.dtype) - itself
    )
    others = ops.logsumexp(similarity - 1e4 * itself, axis=1, keepdims=True)
    log_likelihood = ops.sum(positives * (similarity - others), axis=1)
    return -log_likelihood / ops.maximum(ops.sum(positives, axis=1), 1)


@keras.saving.register_keras_serializable(package="golden")
class EmbeddingCNN(keras.Model):
    """Convolutional network for images.

    Each block is `activation(norm(conv(x)))`: a convolution with `"same"` padding and
    no bias, and batch normalization. Max pooling with `"same"` padding is applied
    between blocks. The features of an image are the global average, with dropout.

    Args:
        embedding_dim: Positive int, size of the output vectors.
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
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, height, width, channels)` for `"channels_last"`,
        `(batch, channels, height, width)` for `"channels_first"`. The height and width
        may differ between batches. Without oneDNN, TensorFlow supports
        `"channels_first"` on a CPU only in models compiled with `jit_compile=True`.

    Output shape:
        `(batch, embedding_dim)`, unit vectors.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = EmbeddingCNN(
    ...     embedding_dim=16, filters=(16, 32), data_format="channels_last"
    ... )
    >>> tuple(model(keras.ops.ones((2, 32, 32, 3))).shape)
    (2, 16)

    Reference:
        [LeCun et al., 1998](https://doi.org/10.1109/5.726791)
    """

    def __init__(
        self,
        embedding_dim,
        filters=(32, 64, 128),
        kernel_size=(3, 3),
        pool_size=(2, 2),
        activation="relu",
        dropout=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(embedding_dim) or embedding_dim <= 0:
            raise ValueError(
                "`embedding_dim` must be a positive int. "
                f"Received: embedding_dim={embedding_dim!r}"
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
        self.embedding_dim = embedding_dim
        self.filters = tuple(filters)
        self.kernel_size = kernel_size
        self.pool_size = pool_size
        self.activation = keras.activations.get(activation)
        self.dropout = float(dropout)
        self.data_format = data_format
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
            embedding_dim, dtype=self.dtype_policy, name="head"
        )
        self.unit_length = UnitLength(dtype=self.dtype_policy, name="unit_length")

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(keras.Input(batch_shape=input_shape))

    def call(self, inputs, training=None):
        x = inputs
        for layer in self.feature_layers:
            x = layer(x, training=training)
        x = self.global_pool(x)
        return self.unit_length(self.head(self.drop(x, training=training)))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.embedding_dim)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile the model with a suitable optimizer, loss and metrics.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate),
                "loss": supervised_contrastive_loss,
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "embedding_dim": self.embedding_dim,
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "pool_size": self.pool_size,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "data_format": self.data_format,
        }
