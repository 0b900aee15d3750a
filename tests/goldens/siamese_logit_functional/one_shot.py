"""`OneShot`: a Siamese network."""

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden", name="OneShot.Encoder")
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


@keras.saving.register_keras_serializable(package="golden")
class OneShot(keras.Model):
    """Siamese network: tells whether two images are of the same class.

    The shared encoder has 3x3 convolutions with strides of 2, and a dense layer that
    outputs a vector. The output for a pair is a logit of being of the same class, a
    weighted sum of the absolute differences of its two vectors.

    Args:
        image_shape: Tuple of 3 positive ints, height, width and channels of the images.
        filters: Tuple of positive ints, filters of each convolution, which halves the
            image size. Defaults to `(32, 64)`.
        embedding_dim: Positive int, size of the encoder's output vectors. Defaults to
            `32`.
        activation: Activation function of the convolutions or its name, `None` for the
            identity. Defaults to `"relu"`.
        dtype: Dtype or dtype policy of all layers. Defaults to Keras's global policy.
        name: String, name of the model. Defaults to a name derived from the class.
        trainable: Bool, whether the weights are trainable. Defaults to `True`.

    Input shape:
        A list of two batches of images, each `(batch, height, width, channels)`.

    Output shape:
        `(batch, 1)`, a logit of each pair.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = OneShot(image_shape=(8, 8, 1), filters=(16, 32), embedding_dim=32)
    >>> images = keras.ops.ones((2, 8, 8, 1))
    >>> tuple(model([images, images]).shape)
    (2, 1)
    >>> tuple(model.encode(images).shape)
    (2, 32)

    Reference:
        [Koch et al., 2015](https://www.cs.cmu.edu/~rsalakhu/papers/oneshot1.pdf)
    """

    def __init__(
        self,
        image_shape,
        filters=(32, 64),
        embedding_dim=32,
        activation="relu",
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
        encoder = Encoder(
            filters, embedding_dim, activation, dtype=dtype, name="encoder"
        )
        difference = keras.layers.Subtract(dtype=dtype, name="difference")
        head = keras.layers.Dense(1, dtype=dtype, name="head")
        inputs = [keras.Input(image_shape, name=side) for side in ("left", "right")]
        difference = difference([encoder(inputs[0]), encoder(inputs[1])])
        outputs = head(ops.absolute(difference))
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.image_shape = tuple(image_shape)
        self.filters = tuple(filters)
        self.embedding_dim = embedding_dim
        self.activation = keras.activations.get(activation)

    def encode(self, images):
        """Return the vectors of images, of shape `(batch, embedding_dim)`."""
        return self.get_layer("encoder")(images)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile the model with a suitable optimizer, loss and metrics.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate),
                "loss": keras.losses.BinaryCrossentropy(from_logits=True),
                "metrics": [keras.metrics.BinaryAccuracy(name="accuracy", threshold=0)],
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "filters": self.filters,
            "embedding_dim": self.embedding_dim,
            "activation": keras.activations.serialize(self.activation),
        }
