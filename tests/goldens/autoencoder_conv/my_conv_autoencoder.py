"""`MyConvAutoencoder`: a convolutional autoencoder."""

import math

import keras


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class MyConvAutoencoder(keras.Model):
    """Convolutional autoencoder: encodes inputs to a short code and decodes it back.

    Each convolution of the encoder halves the height and width, and a linear layer
    outputs the code. The decoder has a dense layer, nearest-neighbor upsampling and a
    convolution for each level, and a last convolution to the channels of the images.
    All convolutions are 3x3. `encode` returns the codes of images, `decode` the
    reconstructions from codes.

    Args:
        image_shape: Tuple of 3 positive ints, height, width and channels of the images.
        latent_dim: Positive int, size of the code. Defaults to `16`.
        filters: Tuple of positive ints, filters of each convolution of the encoder;
            reversed in the decoder. Defaults to `(32, 64)`.
        activation: Activation function of the hidden layers or its name, `None` for the
            identity. Defaults to `"relu"`.
        output_activation: Activation function of the outputs or its name, `None` for
            the identity. Defaults to `None`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, *image_shape)`.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If an argument is invalid, or the height or width of `image_shape`
            is not a multiple of `2 ** len(filters)`.

    Example:

    >>> model = MyConvAutoencoder(image_shape=(8, 8, 1), latent_dim=4, filters=(8, 16))
    >>> x = keras.ops.ones((2, 8, 8, 1))
    >>> tuple(model.encode(x).shape), tuple(model(x).shape)
    ((2, 4), (2, 8, 8, 1))

    Reference:
        [Hinton and Salakhutdinov, 2006](https://doi.org/10.1126/science.1127647)
    """

    def __init__(
        self,
        image_shape,
        latent_dim=16,
        filters=(32, 64),
        activation="relu",
        output_activation=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if (
            not isinstance(image_shape, (list, tuple))
            or len(image_shape) != 3
            or not all(is_int(item) and item > 0 for item in image_shape)
        ):
            raise ValueError(
                "`image_shape` must be a tuple of 3 positive ints. "
                f"Received: image_shape={image_shape!r}"
            )
        if not is_int(latent_dim) or latent_dim <= 0:
            raise ValueError(
                "`latent_dim` must be a positive int. "
                f"Received: latent_dim={latent_dim!r}"
            )
        if not isinstance(filters, (list, tuple)) or not all(
            is_int(item) and item > 0 for item in filters
        ):
            raise ValueError(
                "`filters` must be a tuple of positive ints. "
                f"Received: filters={filters!r}"
            )
        if any(size % 2 ** len(filters) for size in image_shape[:2]):
            raise ValueError(
                "The height and width of `image_shape` must be multiples of "
                "`2 ** len(filters)`. "
                f"Received: filters={filters!r}, image_shape={image_shape!r}"
            )
        self.image_shape = tuple(image_shape)
        self.latent_dim = latent_dim
        self.filters = tuple(filters)
        self.activation = keras.activations.get(activation)
        self.output_activation = keras.activations.get(output_activation)
        self.input_spec = keras.layers.InputSpec(shape=(None, *image_shape))
        # Images are channels-last, whatever Keras's default data format is.
        image = {"data_format": "channels_last", "dtype": self.dtype_policy}
        self.encoder = keras.Sequential(name="encoder")
        for i, size in enumerate(filters):
            self.encoder.add(
                keras.layers.Conv2D(
                    size,
                    3,
                    strides=2,
                    padding="same",
                    activation=activation,
                    name=f"conv_{i}",
                    **image,
                )
            )
        self.encoder.add(keras.layers.Flatten(name="flatten", **image))
        self.encoder.add(
            keras.layers.Dense(latent_dim, dtype=self.dtype_policy, name="latent")
        )
        height, width, channels = image_shape
        scale = 2 ** len(filters)
        small = (height // scale, width // scale, filters[-1] if filters else channels)
        self.decoder = keras.Sequential(name="decoder")
        self.decoder.add(
            keras.layers.Dense(
                math.prod(small),
                activation=activation,
                dtype=self.dtype_policy,
                name="dense",
            )
        )
        self.decoder.add(
            keras.layers.Reshape(small, dtype=self.dtype_policy, name="reshape")
        )
        for i, size in enumerate(reversed(filters)):
            self.decoder.add(keras.layers.UpSampling2D(2, name=f"enlarge_{i}", **image))
            self.decoder.add(
                keras.layers.Conv2D(
                    size,
                    3,
                    padding="same",
                    activation=activation,
                    name=f"conv_{i}",
                    **image,
                )
            )
        self.decoder.add(
            keras.layers.Conv2D(
                channels,
                3,
                padding="same",
                activation=output_activation,
                name="outputs",
                **image,
            )
        )

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(keras.Input(batch_shape=input_shape))

    def call(self, inputs):
        return self.decode(self.encode(inputs))

    def encode(self, inputs):
        """Return the codes of the inputs, of shape `(batch, latent_dim)`."""
        return self.encoder(inputs)

    def decode(self, codes):
        """Return the reconstructions from codes, in the shape of the inputs."""
        return self.decoder(codes)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.image_shape)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile the model with a suitable optimizer, loss and metrics.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate),
                "loss": "mse",
                "metrics": ["mae"],
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "latent_dim": self.latent_dim,
            "filters": self.filters,
            "activation": keras.activations.serialize(self.activation),
            "output_activation": keras.activations.serialize(self.output_activation),
        }
