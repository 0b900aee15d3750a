"""`DigitsGAN`: a generative adversarial network."""

import math
import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class DigitsGAN(keras.Model):
    """Generative adversarial network: a generator of images and a discriminator.

    The generator maps a latent vector to an image, with convolutions that double the
    size. The discriminator maps an image to a logit of being real, with convolutions
    that halve the size. Each has its own loss, and `fit(images)` trains both in one
    step:

        discriminator_loss = softplus(-D(image)) + softplus(D(G(noise)))
        generator_loss = softplus(-D(G(noise)))

    Outside training, the noise is 0, so that results are comparable: `evaluate` then
    scores the discriminator, but the generator on a single image only. `sample`
    generates images from random noise.

    Args:
        image_shape: Tuple of 3 positive ints, height, width and channels of the images.
            Defaults to `(8, 8, 1)`.
        latent_dim: Positive int, size of the latent vectors. Defaults to `16`.
        filters: Tuple of one or more positive ints, filters of each convolution of the
            generator, which doubles the image size; reversed in the discriminator.
            Defaults to `(64, 32)`.
        seed: Int, seed of the random draws in training, or `None` for a different one
            each time. Defaults to `None`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, *image_shape)`, real images with values from -1 to 1.

    Output shape:
        A tuple of generated images, `(batch, *image_shape)`, and the logits of the real
        images, `(batch, 1)`.

    Raises:
        TypeError: If `label` has the wrong type.
        ValueError: If an argument is invalid, or the height or width is not a multiple
            of `2**len(filters)`.

    Example:

    >>> model = DigitsGAN(image_shape=(8, 8, 1), filters=(16, 8))
    >>> made, logits = model(keras.ops.ones((2, 8, 8, 1)))
    >>> tuple(made.shape), tuple(logits.shape)
    ((2, 8, 8, 1), (2, 1))
    >>> tuple(model.sample(5).shape)
    (5, 8, 8, 1)

    Reference:
        [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), [Radford et al.,
        2015](https://arxiv.org/abs/1511.06434)
    """

    def __init__(
        self,
        image_shape=(8, 8, 1),
        latent_dim=16,
        filters=(64, 32),
        seed=None,
        gain=1.0,
        label="mine",
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
        if any(size % 2 ** len(filters) for size in image_shape[:2]):
            raise ValueError(
                "The height and width of `image_shape` must be multiples of "
                "`2 ** len(filters)`. "
                f"Received: filters={filters!r}, image_shape={image_shape!r}"
            )
        self.image_shape = tuple(image_shape)
        self.latent_dim = latent_dim
        self.filters = tuple(filters)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.gain = float(gain)
        self.label = label
        self.input_spec = keras.layers.InputSpec(shape=(None, *image_shape))
        self.generator = self._make_generator()
        self.discriminator = self._make_discriminator()
        self.generator_loss = keras.metrics.Mean(name="generator_loss")
        self.discriminator_loss = keras.metrics.Mean(name="discriminator_loss")

    def build(self, input_shape):
        del input_shape  # The inputs of both networks are known.
        self.generator.build((None, self.latent_dim))
        self.discriminator.build((None, *self.image_shape))

    def call(self, inputs, training=None):
        # TODO: use `self.gain` and `self.label`: they have no effect yet.
        shape = (ops.shape(inputs)[0], self.latent_dim)
        if training:
            noise = keras.random.normal(
                shape, dtype=self.compute_dtype, seed=self.seed_generator
            )
        else:
            noise = ops.zeros(shape, dtype=self.compute_dtype)
        made = self.generator(noise, training=training)
        return made, self.discriminator(inputs, training=training)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        del x, y  # The losses depend only on `y_pred`.
        if sample_weight is not None:
            raise ValueError(
                "`sample_weight` must be None: all images have the same weight."
            )
        made, real = y_pred
        # The loss of the discriminator, with the generator frozen.
        fake = self.discriminator(ops.stop_gradient(made), training=training)
        # The loss of the generator, with the discriminator frozen.
        frozen = [ops.stop_gradient(v) for v in self.discriminator.trainable_variables]
        others = self.discriminator.non_trainable_variables
        judged, _ = self.discriminator.stateless_call(
            frozen, others, made, training=training
        )
        real, fake, judged = (ops.cast(y, "float32") for y in (real, fake, judged))
        discriminator_loss = ops.mean(ops.softplus(-real)) + ops.mean(
            ops.softplus(fake)
        )
        generator_loss = ops.mean(ops.softplus(-judged))
        self.discriminator_loss.update_state(discriminator_loss)
        self.generator_loss.update_state(generator_loss)
        return discriminator_loss + generator_loss + sum(self.losses)

    def sample(self, num_images, seed=None):
        """Generate images, with values from -1 to 1.

        Args:
            num_images: Positive int, number of images.
            seed: Int, for reproducible images, or `None`.
        """
        if not isinstance(num_images, int) or num_images <= 0:
            raise ValueError(
                "`num_images` must be a positive int. "
                f"Received: num_images={num_images!r}"
            )
        if not self.built:
            self.build((None, *self.image_shape))
        noise = keras.random.normal((num_images, self.latent_dim), seed=seed)
        return self.generator(noise, training=False)

    def _make_generator(self):
        height, width, channels = self.image_shape
        factor = 2 ** len(self.filters)
        first = (height // factor, width // factor, self.filters[0])
        return keras.Sequential(
            [
                keras.layers.Dense(
                    math.prod(first),
                    activation="leaky_relu",
                    dtype=self.dtype_policy,
                    name="dense",
                ),
                keras.layers.Reshape(first, dtype=self.dtype_policy, name="reshape"),
                *(
                    layer
                    for i, size in enumerate(self.filters)
                    for layer in self._doubling(i, size)
                ),
                self._conv(channels, "image", activation="tanh"),
            ],
            name="generator",
        )

    def _doubling(self, index, filters):
        return [
            keras.layers.UpSampling2D(
                data_format="channels_last", dtype=self.dtype_policy, name=f"up_{index}"
            ),
            self._conv(filters, f"conv_{index}", use_bias=False),
            keras.layers.BatchNormalization(
                dtype=self.dtype_policy, name=f"norm_{index}"
            ),
            keras.layers.ReLU(dtype=self.dtype_policy, name=f"relu_{index}"),
        ]

    def _make_discriminator(self):
        convolutions = [
            self._conv(size, f"conv_{i}", strides=2, activation="leaky_relu")
            for i, size in enumerate(reversed(self.filters))
        ]
        return keras.Sequential(
            [
                *convolutions,
                keras.layers.Flatten(
                    data_format="channels_last", dtype=self.dtype_policy, name="flatten"
                ),
                keras.layers.Dense(1, dtype=self.dtype_policy, name="logit"),
            ],
            name="discriminator",
        )

    def _conv(self, filters, name, **arguments):
        # Images are channels-last, whatever Keras's default data format is.
        return keras.layers.Conv2D(
            filters,
            3,
            padding="same",
            data_format="channels_last",
            dtype=self.dtype_policy,
            name=name,
            **arguments,
        )

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.image_shape), (input_shape[0], 1)

    def compile_for_training(self, learning_rate=2e-4, **kwargs):
        """Compile the model with Adam; the losses are its own.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate, beta_1=0.5),
                "loss": None,  # `compute_loss` needs none.
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "latent_dim": self.latent_dim,
            "filters": self.filters,
            "seed": self.seed,
            "gain": self.gain,
            "label": self.label,
        }
