"""`MyRandomAugmentation`: random flips and brightness of images."""

import numbers

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="golden")
class MyRandomAugmentation(keras.layers.Layer):
    """Randomly flips images and changes their brightness, in training only.

    In each call, a horizontal flip and a shift of all pixels are drawn for each image
    independently::

        shift = uniform(-brightness, brightness) * max_value
        output = clip(flipped(image) + shift, 0, max_value)

    At inference the output is the input.

    In a `tf.data` pipeline, call the layer with `tf.numpy_function`, on any backend.
    The calls must not run in parallel::

        def augment(images):
            return keras.ops.convert_to_numpy(layer(images, training=True))

        dataset = dataset.batch(32).map(
            lambda images: tf.numpy_function(augment, [images], tf.float32)
        )

    Args:
        flip_rate: Float from 0 to 1, probability of flipping an image horizontally.
            Defaults to `0.5`.
        brightness: Float from 0 to 1, maximum change of brightness, as a fraction of
            `max_value`. Defaults to `0.2`.
        max_value: Positive float, maximum pixel value; the minimum is 0. Defaults to
            `255.0`.
        data_format: `"channels_last"` or `"channels_first"`, case-insensitive; `None`
            for `keras.config.image_data_format()`. Defaults to `None`.
        seed: Int, seed for the random draws, or `None` for a random seed. Defaults to
            `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, height, width, channels)` for `"channels_last"`,
        `(batch, channels, height, width)` for `"channels_first"`.

        Integers are cast to the layer's compute dtype.

    Output shape:
        Same shape as the input.

    Raises:
        ValueError: If an argument is invalid, or the input does not have rank 4.

    Example:

    >>> layer = MyRandomAugmentation(
    ...     flip_rate=1.0, brightness=0.0, data_format="channels_last"
    ... )
    >>> image = keras.ops.array([[[[1.0], [2.0], [3.0]]]])
    >>> keras.ops.convert_to_numpy(layer(image, training=True)).ravel().tolist()
    [3.0, 2.0, 1.0]
    """

    def __init__(
        self,
        flip_rate=0.5,
        brightness=0.2,
        max_value=255.0,
        data_format=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(flip_rate, numbers.Real) or not 0 <= flip_rate <= 1:
            raise ValueError(
                "`flip_rate` must be a float in the range [0, 1]. "
                f"Received: flip_rate={flip_rate!r}"
            )
        if not isinstance(brightness, numbers.Real) or not 0 <= brightness <= 1:
            raise ValueError(
                "`brightness` must be a float in the range [0, 1]. "
                f"Received: brightness={brightness!r}"
            )
        if not isinstance(max_value, numbers.Real) or not max_value > 0:
            raise ValueError(
                "`max_value` must be a float greater than 0. "
                f"Received: max_value={max_value!r}"
            )
        if data_format is None:
            data_format = keras.config.image_data_format()
        data_format = str(data_format).lower()
        if data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                "`data_format` must be 'channels_last' or 'channels_first'. "
                f"Received: data_format={data_format!r}"
            )
        self.flip_rate = float(flip_rate)
        self.brightness = float(brightness)
        self.max_value = float(max_value)
        self.data_format = data_format
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.supports_masking = True

    def call(self, inputs, training=False):
        inputs = ops.cast(inputs, self.compute_dtype)
        if not training:
            return inputs
        one_per_image = (ops.shape(inputs)[0], 1, 1, 1)
        draws = keras.random.uniform(one_per_image, seed=self.seed_generator)
        width_axis = 2 if self.data_format == "channels_last" else 3
        flipped = ops.flip(inputs, axis=width_axis)
        outputs = ops.where(draws < self.flip_rate, flipped, inputs)
        limit = self.brightness * self.max_value
        shift = keras.random.uniform(
            one_per_image, -limit, limit, seed=self.seed_generator
        )
        outputs = ops.add(outputs, ops.cast(shift, self.compute_dtype))
        return ops.clip(outputs, 0, self.max_value)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "flip_rate": self.flip_rate,
            "brightness": self.brightness,
            "max_value": self.max_value,
            "data_format": self.data_format,
            "seed": self.seed,
        }
