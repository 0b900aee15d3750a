"""`MyVAE`: a variational autoencoder."""

import math
import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden", name="MyVAE.NormalSampling")
class NormalSampling(keras.layers.Layer):
    """Samples from normal distributions in training, otherwise returns their mean.

    It adds their divergence from the standard normal distribution to the losses.
    """

    def __init__(self, kl_weight=1.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.kl_weight = kl_weight
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, mean, log_variance, training=None):
        self.add_loss(self.kl_weight * ops.mean(self.divergence(mean, log_variance)))
        return self.draw(mean, log_variance) if training else mean

    def draw(self, mean, log_variance):
        """Return a sample from each distribution."""
        noise = keras.random.normal(
            ops.shape(mean), dtype=mean.dtype, seed=self.seed_generator
        )
        return mean + ops.exp(log_variance / 2) * noise

    def divergence(self, mean, log_variance):
        """Return the Kullback-Leibler divergence of each sample, in nats."""
        # In float32, since squares and exponentials easily overflow in float16.
        dtype = keras.backend.result_type(self.compute_dtype, "float32")
        mean, log_variance = ops.cast(mean, dtype), ops.cast(log_variance, dtype)
        return ops.sum(ops.exp(log_variance) + mean**2 - 1 - log_variance, axis=-1) / 2

    def compute_output_shape(self, mean_shape):
        return tuple(mean_shape)

    def get_config(self):
        return {**super().get_config(), "kl_weight": self.kl_weight, "seed": self.seed}


@keras.saving.register_keras_serializable(package="golden", name="MyVAE.bernoulli_loss")
def bernoulli_loss(images, logits):
    """Return the negative log-likelihood of each image, summed over its values."""
    return ops.sum(ops.softplus(logits) - ops.multiply(images, logits), axis=(1, 2, 3))


@keras.saving.register_keras_serializable(package="golden")
class MyVAE(keras.Model):
    """Variational autoencoder: images as normal distributions of latent numbers.

    The encoder's dense layers output a mean and a log-variance for each latent number,
    the decoder's a logit for each value of the image:

        z = mean(x) + exp(log_variance(x) / 2) * noise
        loss = -log p(x | z) + kl_weight * KL(N(mean, exp(log_variance)) || N(0, 1))

    Outside training, `z` is the mean, except in the loss: the validation loss uses
    samples as well, so that it is comparable to the training loss. Images are their own
    targets: `fit(images, images)`.

    Args:
        image_shape: Tuple of 3 positive ints, height, width and channels of the images.
        latent_dim: Positive int, number of latent dimensions. Defaults to `20`.
        hidden_units: Tuple of positive ints, units of the encoder's hidden layers;
            reversed in the decoder. Defaults to `(500,)`.
        activation: Activation function of the hidden layers or its name, `None` for the
            identity. Defaults to `"relu"`.
        kl_weight: Non-negative float, weight of the divergence in the loss; greater
            than 1 in a beta-VAE. Defaults to `1.0`.
        seed: Int, seed of the random draws in training, or `None` for a different one
            each time. Defaults to `None`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, *image_shape)`, values from 0 to 1.

    Output shape:
        Same as the input: the logits of the values. `decode` returns the values
        themselves.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = MyVAE(image_shape=(8, 8, 1), latent_dim=2)
    >>> tuple(model(keras.ops.ones((2, 8, 8, 1))).shape)
    (2, 8, 8, 1)
    >>> tuple(model.sample(5).shape)
    (5, 8, 8, 1)

    Reference:
        [Kingma & Welling, 2013](https://arxiv.org/abs/1312.6114)
    """

    def __init__(
        self,
        image_shape,
        latent_dim=20,
        hidden_units=(500,),
        activation="relu",
        kl_weight=1.0,
        seed=None,
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
        if not isinstance(hidden_units, (list, tuple)) or not all(
            is_int(item) and item > 0 for item in hidden_units
        ):
            raise ValueError(
                "`hidden_units` must be a tuple of positive ints. "
                f"Received: hidden_units={hidden_units!r}"
            )
        if not isinstance(kl_weight, numbers.Real) or not kl_weight >= 0:
            raise ValueError(
                "`kl_weight` must be a non-negative float. "
                f"Received: kl_weight={kl_weight!r}"
            )
        self.image_shape = tuple(map(int, image_shape))
        self.latent_dim = int(latent_dim)
        self.hidden_units = tuple(map(int, hidden_units))
        self.activation = keras.activations.get(activation)
        self.kl_weight = float(kl_weight)
        self.seed = seed
        self.input_spec = keras.layers.InputSpec(shape=(None, *image_shape))
        self.flatten = keras.layers.Flatten(dtype=self.dtype_policy, name="flatten")
        self.encoder = self._dense_layers("encoder", hidden_units)
        self.mean = keras.layers.Dense(latent_dim, dtype=self.dtype_policy, name="mean")
        self.log_variance = keras.layers.Dense(
            latent_dim, dtype=self.dtype_policy, name="log_variance"
        )
        self.sampling = NormalSampling(
            kl_weight, seed, dtype=self.dtype_policy, name="sampling"
        )
        self.decoder = self._dense_layers("decoder", reversed(hidden_units))
        self.pixels = keras.layers.Dense(
            math.prod(image_shape), dtype=self.dtype_policy, name="pixels"
        )
        self.reshape = keras.layers.Reshape(
            image_shape, dtype=self.dtype_policy, name="reshape"
        )

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(keras.Input(batch_shape=input_shape))

    def call(self, inputs, training=None):
        return self._logits(self.sampling(*self.encode(inputs), training=training))

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        if not training:
            y_pred = self._logits(self.sampling.draw(*self.encode(x)))
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def encode(self, images):
        """Return the means and log-variances of images, each `(batch, latent_dim)`."""
        x = self.flatten(images)
        for layer in self.encoder:
            x = layer(x)
        return self.mean(x), self.log_variance(x)

    def decode(self, latents):
        """Return the images decoded from `latents` of shape `(batch, latent_dim)`."""
        return ops.sigmoid(self._logits(latents))

    def sample(self, num_images, seed=None):
        """Generate images from latents sampled from N(0, I).

        Args:
            num_images: Positive int, number of images.
            seed: Int, for reproducible images, or `None`.
        """
        if not isinstance(num_images, int) or num_images <= 0:
            raise ValueError(
                "`num_images` must be a positive int. "
                f"Received: num_images={num_images!r}"
            )
        return self.decode(
            keras.random.normal((num_images, self.latent_dim), seed=seed)
        )

    def _dense_layers(self, name, sizes):
        return [
            keras.layers.Dense(
                units,
                activation=self.activation,
                dtype=self.dtype_policy,
                name=f"{name}_{i}",
            )
            for i, units in enumerate(sizes)
        ]

    def _logits(self, latents):
        x = latents
        for layer in self.decoder:
            x = layer(x)
        return self.reshape(self.pixels(x))

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile the model with Adam and the negative log-likelihood.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate),
                "loss": bernoulli_loss,
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "latent_dim": self.latent_dim,
            "hidden_units": self.hidden_units,
            "activation": keras.activations.serialize(self.activation),
            "kl_weight": self.kl_weight,
            "seed": self.seed,
        }
