"""`TinyDDPM`: a diffusion model."""

import numbers

import keras
import numpy as np
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


# Number of times at which the error of an image is computed outside training.
NUM_TIMES = 8


def conv(filters, **arguments):
    """Return a convolution that preserves the size of channels-last images."""
    return keras.layers.Conv2D(
        filters, 3, padding="same", data_format="channels_last", **arguments
    )


@keras.saving.register_keras_serializable(
    package="golden", name="TinyDDPM.ResidualBlock"
)
class ResidualBlock(keras.layers.Layer):
    """Two convolutions with a shortcut, and a time embedding added in between.

    The embedding has the shape `(batch, 1, 1, dim)`.
    """

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.norm1 = keras.layers.GroupNormalization(
            1, dtype=self.dtype_policy, name="norm1"
        )
        self.conv1 = conv(filters, dtype=self.dtype_policy, name="conv1")
        self.time_dense = keras.layers.Dense(
            filters, dtype=self.dtype_policy, name="time_dense"
        )
        self.norm2 = keras.layers.GroupNormalization(
            1, dtype=self.dtype_policy, name="norm2"
        )
        self.conv2 = conv(filters, dtype=self.dtype_policy, name="conv2")

    def build(self, inputs_shape, embedding_shape):
        self.time_dense.build(embedding_shape)
        for layer in (self.norm1, self.conv1, self.norm2, self.conv2):
            layer.build(inputs_shape)

    def call(self, inputs, embedding):
        x = self.conv1(ops.silu(self.norm1(inputs))) + self.time_dense(embedding)
        return inputs + self.conv2(ops.silu(self.norm2(x)))

    def compute_output_shape(self, inputs_shape, embedding_shape):
        del embedding_shape  # It is broadcast over the image.
        return tuple(inputs_shape)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


def cosine_schedule(num_steps):
    """Return `alphas_cumprod`, the squared signal rates, of the cosine schedule."""
    angles = (np.arange(num_steps + 1) / num_steps + 0.008) / 1.008 * np.pi / 2
    squares = np.cos(angles) ** 2
    # Keep some signal at the last step, which could not be inverted otherwise.
    alphas = np.maximum(squares[1:] / squares[:-1], 0.001)
    return np.cumprod(alphas).tolist()


@keras.saving.register_keras_serializable(package="golden")
class TinyDDPM(keras.Model):
    """Diffusion model: turns noise into images, step by step.

    At each time `t` from 0 to `num_steps - 1`, an image is mixed with noise, and the
    network predicts that noise:

        noisy = signal_rate[t] * image + noise_rate[t] * noise
        error = mean((noise - predict_noise(noisy, t))**2)

    The network is convolutional, with residual blocks that receive an embedding of the
    time. `signal_rate` follows a cosine from nearly 1 to nearly 0.

    The model returns the error of each image, which is also the loss: `fit(images)`
    needs no targets. In training, times and noise are random. Otherwise they are fixed,
    with `NUM_TIMES` times per image, so that results are comparable. `sample` generates
    images.

    Args:
        image_shape: Tuple of 3 positive ints, height, width and channels of the images.
            Defaults to `(8, 8, 1)`.
        filters: Positive int, number of channels inside the network. Defaults to `32`.
        num_blocks: Positive int, number of residual blocks. Defaults to `6`.
        num_steps: Positive int, number of diffusion steps. Defaults to `200`.
        seed: Int, seed of the random draws in training, or `None` for a different one
            each time. Defaults to `None`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, *image_shape)`, values from -1 to 1.

    Output shape:
        `(batch,)`, the mean squared error of the predicted noise.

    Raises:
        TypeError: If `label` has the wrong type.
        ValueError: If an argument is invalid.

    Example:

    >>> model = TinyDDPM(image_shape=(8, 8, 1), filters=8, num_steps=10)
    >>> tuple(model(keras.ops.ones((2, 8, 8, 1))).shape)
    (2,)
    >>> tuple(model.sample(5).shape)
    (5, 8, 8, 1)

    Reference:
        [Ho et al., 2020](https://arxiv.org/abs/2006.11239), with the cosine schedule of
        [Nichol & Dhariwal, 2021](https://arxiv.org/abs/2102.09672)
    """

    def __init__(
        self,
        image_shape=(8, 8, 1),
        filters=32,
        num_blocks=6,
        num_steps=200,
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
        if not is_int(filters) or filters <= 0:
            raise ValueError(
                f"`filters` must be a positive int. Received: filters={filters!r}"
            )
        if not is_int(num_blocks) or num_blocks <= 0:
            raise ValueError(
                "`num_blocks` must be a positive int. "
                f"Received: num_blocks={num_blocks!r}"
            )
        if not is_int(num_steps) or num_steps <= 0:
            raise ValueError(
                f"`num_steps` must be a positive int. Received: num_steps={num_steps!r}"
            )
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
        self.image_shape = tuple(image_shape)
        self.filters = filters
        self.num_blocks = num_blocks
        self.num_steps = num_steps
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.gain = float(gain)
        self.label = label
        self.input_spec = keras.layers.InputSpec(shape=(None, *image_shape))
        self.alphas_cumprod = cosine_schedule(num_steps)
        self.signal_rates = np.sqrt(self.alphas_cumprod).astype("float32")
        self.noise_rates = np.sqrt(1 - np.array(self.alphas_cumprod)).astype("float32")
        times = (np.arange(NUM_TIMES) + 0.5) / NUM_TIMES * num_steps
        self.test_times = times.astype("int32")
        rng = np.random.default_rng(0)
        self.test_noise = rng.normal(size=(NUM_TIMES, *image_shape)).astype("float32")
        self.time_embedding = keras.layers.Dense(
            filters, activation="silu", dtype=self.dtype_policy, name="time_embedding"
        )
        self.conv_in = conv(filters, dtype=self.dtype_policy, name="conv_in")
        self.blocks = [
            ResidualBlock(filters, dtype=self.dtype_policy, name=f"block_{i}")
            for i in range(num_blocks)
        ]
        self.norm = keras.layers.GroupNormalization(
            1, dtype=self.dtype_policy, name="norm"
        )
        self.conv_out = conv(
            image_shape[-1],
            kernel_initializer="zeros",  # It predicts 0 at first, with an error of 1.
            dtype=self.dtype_policy,
            name="conv_out",
        )

    def build(self, input_shape):
        del input_shape  # The network's inputs are known: noisy images and times.
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.predict_noise(
            keras.Input(self.image_shape), keras.Input((), dtype="int32")
        )

    def call(self, inputs, training=None):
        # TODO: use `self.gain` and `self.label`: they have no effect yet.
        batch = ops.shape(inputs)[0]
        if training:
            shape, seed = (batch, 1, *self.image_shape), self.seed_generator
            times = keras.random.randint((batch, 1), 0, self.num_steps, seed=seed)
            noise = keras.random.normal(shape, dtype=self.compute_dtype, seed=seed)
        else:
            times = ops.broadcast_to(self.test_times, (batch, NUM_TIMES))
            noise = ops.cast(self.test_noise, self.compute_dtype)
        noisy = self.add_noise(inputs[:, None], times, noise)
        flat = ops.reshape(noisy, (-1, *self.image_shape))
        predicted = self.predict_noise(flat, ops.reshape(times, (-1,)))
        errors = ops.reshape(predicted, ops.shape(noisy)) - noise
        return ops.mean(ops.square(errors), axis=(1, 2, 3, 4))

    def predict_noise(self, images, times):
        """Return the predicted noise in images at `times`, ints of shape `(batch,)`."""
        frequencies = 10_000.0 ** (
            -np.arange(self.filters, dtype="float32") / self.filters
        )
        times = ops.cast(times, "float32")[:, None, None, None]
        angles = ops.multiply(times, frequencies)
        waves = ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)
        embedding = self.time_embedding(waves)
        x = self.conv_in(images)
        for block in self.blocks:
            x = block(x, embedding)
        return self.conv_out(ops.silu(self.norm(x)))

    def add_noise(self, images, times, noise):
        """Return images mixed with noise at the rates of `times`."""
        signal_rates = ops.take(self.signal_rates, times)[..., None, None, None]
        noise_rates = ops.take(self.noise_rates, times)[..., None, None, None]
        signal = ops.multiply(ops.cast(signal_rates, noise.dtype), images)
        return signal + ops.multiply(ops.cast(noise_rates, noise.dtype), noise)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        del x, y, training  # The model already returns the loss of each image.
        losses = ops.cast(y_pred, "float32")
        if sample_weight is not None:
            losses = ops.multiply(losses, sample_weight)
        return ops.mean(losses) + sum(self.losses)

    def sample(self, num_images, seed=None):
        """Generate images, with values of about -1 to 1.

        Args:
            num_images: Positive int, number of images.
            seed: Int, for reproducible images, or `None`.
        """
        if not isinstance(num_images, int) or num_images <= 0:
            raise ValueError(
                "`num_images` must be a positive int. "
                f"Received: num_images={num_images!r}"
            )
        shape, seed = (num_images, *self.image_shape), keras.random.SeedGenerator(seed)
        images = keras.random.normal(shape, seed=seed)
        for time in reversed(range(self.num_steps)):
            times = ops.full((num_images,), time, dtype="int32")
            # Without a gradient: Torch would keep the activations of all steps.
            predicted = ops.stop_gradient(self.predict_noise(images, times))
            so_far = self.alphas_cumprod[time]
            before = self.alphas_cumprod[time - 1] if time else 1.0
            clean = images - (1 - so_far) ** 0.5 * ops.cast(predicted, "float32")
            clean = ops.clip(clean / so_far**0.5, -1, 1)
            # One step back: a weighted mean of the clean and the noisy images.
            alpha = so_far / before
            of_clean = before**0.5 * (1 - alpha) / (1 - so_far)
            of_noisy = alpha**0.5 * (1 - before) / (1 - so_far)
            images = of_clean * clean + of_noisy * images
            if time:
                stddev = ((1 - alpha) * (1 - before) / (1 - so_far)) ** 0.5
                images = images + stddev * keras.random.normal(shape, seed=seed)
        return images

    def compute_output_shape(self, input_shape):
        return (input_shape[0],)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile the model with Adam; the loss is its own.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate),
                "loss": None,  # `compute_loss` needs none.
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "filters": self.filters,
            "num_blocks": self.num_blocks,
            "num_steps": self.num_steps,
            "seed": self.seed,
            "gain": self.gain,
            "label": self.label,
        }
