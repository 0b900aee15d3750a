"""`PhotoJitter`: random flips and brightness of images."""

import numbers

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="golden")
class PhotoJitter(keras.layers.Layer):
    """Mirrors images and changes their brightness, at random and in training only.

    Each image is drawn for by itself, anew in each call: whether it is mirrored, left
    to right, and one shift for all of its pixels::

        shift = uniform(-brightness, brightness) * max_value
        output = clip(mirrored(image) + shift, 0, max_value)

    At inference the output is the input.

    In a `tf.data` pipeline, whichever backend Keras has, `tf.numpy_function` calls the
    layer, which must not run in parallel with itself::

        def augment(images):
            return keras.ops.convert_to_numpy(layer(images, training=True))

        dataset = dataset.batch(32).map(
            lambda images: tf.numpy_function(augment, [images], tf.float32)
        )

    Args:
        flip_rate: Float from 0 to 1, the probability that an image is mirrored, left to
            right. Defaults to `0.3`.
        brightness: Float from 0 to 1, how far an image is made brighter or darker at
            most, as a share of `max_value`. Defaults to `0.2`.
        max_value: Positive float, the greatest value of a pixel; the least is 0.
            Defaults to `1.0`.
        data_format: `"channels_last"` or `"channels_first"`, in any case; `None` for
            `keras.config.image_data_format()`. Defaults to `"channels_first"`.
        seed: Int, seed of the draws, or `None` for another one each time. Defaults to
            `7`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.layers.Layer`.

    Input shape:
        `(batch, height, width, channels)` for `"channels_last"`,
        `(batch, channels, height, width)` for `"channels_first"`.

        Integers are cast to the layer's compute dtype.

    Output shape:
        That of the input.

    Raises:
        TypeError: If `label` is of another type.
        ValueError: If an argument is none of the values above, or the input has not 4
            axes.

    Example:

    >>> layer = PhotoJitter(
    ...     flip_rate=1.0, brightness=0.0, data_format="channels_last", max_value=3.0
    ... )
    >>> image = keras.ops.array([[[[1.0], [2.0], [3.0]]]])
    >>> keras.ops.convert_to_numpy(layer(image, training=True)).ravel().tolist()
    [3.0, 2.0, 1.0]
    """

    def __init__(
        self,
        flip_rate=0.3,
        brightness=0.2,
        max_value=1.0,
        data_format="channels_first",
        seed=7,
        gain=1.0,
        label="mine",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(flip_rate, numbers.Real) or not 0 <= flip_rate <= 1:
            raise ValueError(
                "`flip_rate` must be a float at least 0 and at most 1. "
                f"Received: flip_rate={flip_rate!r}"
            )
        if not isinstance(brightness, numbers.Real) or not 0 <= brightness <= 1:
            raise ValueError(
                "`brightness` must be a float at least 0 and at most 1. "
                f"Received: brightness={brightness!r}"
            )
        if not isinstance(max_value, numbers.Real) or not max_value > 0:
            raise ValueError(
                "`max_value` must be a float greater than 0. "
                f"Received: max_value={max_value!r}"
            )
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
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
        self.gain = float(gain)
        self.label = label
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.supports_masking = True

    def call(self, inputs, training=False):
        # TODO: put `self.gain` and `self.label` to use: nothing depends on them yet.
        inputs = ops.cast(inputs, self.compute_dtype)
        if not training:
            return inputs
        one_per_image = (ops.shape(inputs)[0], 1, 1, 1)
        draws = keras.random.uniform(one_per_image, seed=self.seed_generator)
        width_axis = 2 if self.data_format == "channels_last" else 3
        mirrored = ops.flip(inputs, axis=width_axis)
        outputs = ops.where(draws < self.flip_rate, mirrored, inputs)
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
            "gain": self.gain,
            "label": self.label,
        }
