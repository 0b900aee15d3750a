"""`WideSiamese`: a Siamese network."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden", name="WideSiamese.Encoder")
class Encoder(keras.layers.Layer):
    """Strided convolutions and a dense layer: a vector for each image."""

    def __init__(self, filters, embedding_dim, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.filters = tuple(filters)
        self.embedding_dim = embedding_dim
        self.activation = keras.activations.get(activation)
        self.convolutions = [
            keras.layers.Conv2D(
                channels,
                3,
                strides=2,
                padding="same",
                data_format="channels_last",
                activation=self.activation,
                dtype=self.dtype_policy,
                name=f"conv_{i}",
            )
            for i, channels in enumerate(self.filters)
        ]
        self.flatten = keras.layers.Flatten(
            data_format="channels_last", dtype=self.dtype_policy, name="flatten"
        )
        # A bias would cancel out in the difference of two vectors.
        self.dense = keras.layers.Dense(
            embedding_dim, use_bias=False, dtype=self.dtype_policy, name="dense"
        )

    def build(self, input_shape):
        shape = input_shape
        for layer in (*self.convolutions, self.flatten, self.dense):
            layer.build(shape)
            shape = layer.compute_output_shape(shape)

    def call(self, inputs):
        x = inputs
        for layer in self.convolutions:
            x = layer(x)
        return self.dense(self.flatten(x))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.embedding_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "embedding_dim": self.embedding_dim,
            "activation": keras.activations.serialize(self.activation),
        }


@keras.saving.register_keras_serializable(package="golden", name="WideSiamese.Distance")
class Distance(keras.layers.Layer):
    """The Euclidean distance of two vectors, of shape `(batch, 1)`."""

    def call(self, left, right):
        # In float32, since squares easily overflow in float16.
        difference = ops.cast(
            left - right, keras.backend.result_type(self.compute_dtype, "float32")
        )
        squares = ops.sum(ops.square(difference), axis=-1, keepdims=True)
        # At 0, the gradient of the square root is infinite.
        return ops.cast(ops.sqrt(ops.maximum(squares, 1e-12)), self.compute_dtype)

    def compute_output_shape(self, left_shape):
        return (*left_shape[:-1], 1)


@keras.saving.register_keras_serializable(
    package="golden", name="WideSiamese.ContrastiveLoss"
)
class ContrastiveLoss(keras.losses.Loss):
    """Pulls pairs of the same class together, and others apart up to a margin.

    Args:
        margin: Positive float, distance at which different pairs are far enough apart.
        **kwargs: `name`, `reduction` and `dtype` of `keras.losses.Loss`.
    """

    def __init__(self, margin=1.0, **kwargs):
        super().__init__(**kwargs)
        self.margin = margin

    def call(self, y_true, y_pred):
        same = ops.reshape(y_true, ops.shape(y_pred))
        pulled, pushed = y_pred**2, ops.maximum(self.margin - y_pred, 0) ** 2
        return ops.mean(same * pulled + (1 - same) * pushed, axis=-1)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}


@keras.saving.register_keras_serializable(
    package="golden", name="WideSiamese.pair_accuracy"
)
def pair_accuracy(same, distances, threshold):
    """Return whether the threshold classifies each pair correctly."""
    nearer = ops.cast(distances < threshold, "float32")
    return ops.equal(ops.reshape(ops.cast(same, "float32"), ops.shape(nearer)), nearer)


@keras.saving.register_keras_serializable(package="golden")
class WideSiamese(keras.Model):
    """Siamese network: tells whether two images are of the same class.

    The shared encoder has 3x3 convolutions with strides of 2, and a dense layer that
    outputs a vector. The output for a pair is the Euclidean distance of its two
    vectors, trained with `ContrastiveLoss`:

        same * distance**2 + (1 - same) * max(margin - distance, 0)**2

    Args:
        filters: Tuple of positive ints, filters of each convolution, which halves the
            image size. Defaults to `(16, 32, 64)`.
        embedding_dim: Positive int, size of the encoder's output vectors. Defaults to
            `64`.
        activation: Activation function of the convolutions or its name, `None` for the
            identity. Defaults to `"gelu"`.
        margin: Positive float, distance at which images of different classes are far
            enough apart. Defaults to `2.0`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        A list of two batches of images, each `(batch, height, width, channels)`.

    Output shape:
        `(batch, 1)`, the distance of each pair.

    Raises:
        TypeError: If `label` has the wrong type.
        ValueError: If an argument is invalid.

    Example:

    >>> model = WideSiamese(filters=(16, 32), embedding_dim=32)
    >>> images = keras.ops.ones((2, 8, 8, 1))
    >>> tuple(model([images, images]).shape)
    (2, 1)
    >>> tuple(model.encode(images).shape)
    (2, 32)

    Reference:
        [Hadsell et al.,
        2006](http://yann.lecun.com/exdb/publis/pdf/hadsell-chopra-lecun-06.pdf)
    """

    def __init__(
        self,
        filters=(16, 32, 64),
        embedding_dim=64,
        activation="gelu",
        margin=2.0,
        gain=1.0,
        label="mine",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(filters, (list, tuple)) or not all(
            is_int(item) and item > 0 for item in filters
        ):
            raise ValueError(
                "`filters` must be a tuple of positive ints. "
                f"Received: filters={filters!r}"
            )
        if not is_int(embedding_dim) or embedding_dim <= 0:
            raise ValueError(
                "`embedding_dim` must be a positive int. "
                f"Received: embedding_dim={embedding_dim!r}"
            )
        if not isinstance(margin, numbers.Real) or not margin > 0:
            raise ValueError(
                f"`margin` must be a float greater than 0. Received: margin={margin!r}"
            )
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
        self.filters = tuple(filters)
        self.embedding_dim = embedding_dim
        self.activation = keras.activations.get(activation)
        self.margin = float(margin)
        self.gain = float(gain)
        self.label = label
        self.encoder = Encoder(
            filters, embedding_dim, activation, dtype=self.dtype_policy, name="encoder"
        )
        self.distance = Distance(dtype=self.dtype_policy, name="distance")

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call([keras.Input(batch_shape=shape) for shape in input_shape])

    def call(self, inputs):
        # TODO: use `self.gain` and `self.label`: they have no effect yet.
        left, right = inputs
        return self.distance(self.encoder(left), self.encoder(right))

    def encode(self, images):
        """Return the vectors of images, of shape `(batch, embedding_dim)`."""
        return self.encoder(images)

    def compute_output_shape(self, input_shape):
        return (input_shape[0][0], 1)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile the model with a suitable optimizer, loss and metrics.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate),
                "loss": ContrastiveLoss(self.margin),
                # A distance below half the margin counts as the same class.
                "metrics": [
                    keras.metrics.MeanMetricWrapper(
                        pair_accuracy, name="accuracy", threshold=self.margin / 2
                    )
                ],
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "embedding_dim": self.embedding_dim,
            "activation": keras.activations.serialize(self.activation),
            "margin": self.margin,
            "gain": self.gain,
            "label": self.label,
        }
