"""`MySpatialDropout3D`: 3D spatial dropout."""

import numbers

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="examples")
class MySpatialDropout3D(keras.layers.Layer):
    """3D spatial dropout: `inputs * kept / (1 - rate)` in training.

    `kept` is 0 with probability `rate` and 1 otherwise, drawn anew in each call, once
    for each channel of each item: a channel is dropped at all its places or at none.
    Its neighbouring places are much alike: were they dropped one by one, the others
    would tell what is missing. What is kept is scaled up, so that the expected output
    is the input: at inference it is just that.

    Args:
        rate: Float from 0 to 1, the probability that a channel is dropped.
        data_format: `"channels_last"` or `"channels_first"`, in any case; `None` for
            `keras.config.image_data_format()`. Defaults to `None`.
        seed: Int, seed of the draws, or `None` for another one each time. Defaults to
            `None`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.layers.Layer`.

    Input shape:
        `(batch, depth, height, width, channels)` for `"channels_last"`,
        `(batch, channels, depth, height, width)` for `"channels_first"`.

    Output shape:
        The input's shape.

    Raises:
        ValueError: If an argument is none of the values above, or the input has not 5
            axes.

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
                "`rate` must be a float at least 0 and at most 1. "
                f"Received: rate={rate!r}"
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
