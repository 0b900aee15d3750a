"""`MySpatialDropout3D`: 3D spatial dropout."""

import numbers

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="examples")
class MySpatialDropout3D(keras.layers.Layer):
    """3D spatial dropout: `inputs * kept / (1 - rate)` in training.

    `kept` is 0 with probability `rate` and 1 otherwise, drawn in each call once per
    channel of each sample: a channel is dropped at all positions or at none.
    Neighboring positions are strongly correlated, so that dropping individual ones
    would have little effect. Kept channels are scaled up, so that the expected output
    equals the input. At inference the output is the input.

    Args:
        rate: Float from 0 to 1, fraction of the channels to drop.
        data_format: `"channels_last"` or `"channels_first"`, case-insensitive; `None`
            for `keras.config.image_data_format()`. Defaults to `None`.
        seed: Int, seed for the random draws, or `None` for a random seed. Defaults to
            `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, depth, height, width, channels)` for `"channels_last"`,
        `(batch, channels, depth, height, width)` for `"channels_first"`.

    Output shape:
        Same shape as the input.

    Raises:
        ValueError: If an argument is invalid, or the input does not have rank 5.

    Example:

    >>> layer = MySpatialDropout3D(0.5, data_format="channels_last", seed=3)
    >>> outputs = layer(keras.ops.ones((2, 6, 6, 6, 8)), training=True)
    >>> sorted({float(x) for x in keras.ops.ravel(outputs)})
    [0.0, 2.0]

    Reference:
        Drop-in for `keras.layers.SpatialDropout3D`.

        [Tompson et al., 2014](https://arxiv.org/abs/1411.4280)
    """

    def __init__(self, rate, data_format=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(rate, numbers.Real) or not 0 <= rate <= 1:
            raise ValueError(
                f"`rate` must be a float in the range [0, 1]. Received: rate={rate!r}"
            )
        if data_format is None:
            data_format = keras.config.image_data_format()
        data_format = str(data_format).lower()
        if data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                "`data_format` must be 'channels_last' or 'channels_first'. "
                f"Received: data_format={data_format!r}"
            )
        self.rate = float(rate)
        self.data_format = data_format
        self.seed = seed
        if self.rate > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.input_spec = keras.layers.InputSpec(ndim=5)
        self.supports_masking = True

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        shape = ops.shape(inputs)
        if self.data_format == "channels_last":
            noise_shape = (shape[0], 1, 1, 1, shape[-1])
        else:
            noise_shape = (shape[0], shape[1], 1, 1, 1)
        return keras.random.dropout(
            inputs, self.rate, noise_shape=noise_shape, seed=self.seed_generator
        )

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "rate": self.rate,
            "data_format": self.data_format,
            "seed": self.seed,
        }
