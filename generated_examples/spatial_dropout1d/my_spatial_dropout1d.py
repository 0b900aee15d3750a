"""`MySpatialDropout1D`: 1D spatial dropout."""

import numbers

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="examples")
class MySpatialDropout1D(keras.layers.Layer):
    """1D spatial dropout: `inputs * kept / (1 - rate)` in training.

    `kept` is 0 with probability `rate` and 1 otherwise, drawn in each call once per
    channel of each sample: a channel is dropped at all steps or at none. Neighboring
    steps are strongly correlated, so that dropping individual ones would have little
    effect. Kept channels are scaled up, so that the expected output equals the input.
    At inference the output is the input.

    Args:
        rate: Float from 0 to 1, fraction of the channels to drop.
        seed: Int, seed for the random draws, or `None` for a random seed. Defaults to
            `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, steps, channels)`.

    Output shape:
        Same shape as the input.

    Raises:
        ValueError: If an argument is invalid, or the input does not have rank 3.

    Example:

    >>> layer = MySpatialDropout1D(0.5, seed=3)
    >>> outputs = layer(keras.ops.ones((2, 6, 8)), training=True)
    >>> sorted({float(x) for x in keras.ops.ravel(outputs)})
    [0.0, 2.0]

    Reference:
        Drop-in for `keras.layers.SpatialDropout1D`.

        [Tompson et al., 2014](https://arxiv.org/abs/1411.4280)
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(rate, numbers.Real) or not 0 <= rate <= 1:
            raise ValueError(
                f"`rate` must be a float in the range [0, 1]. Received: rate={rate!r}"
            )
        self.rate = float(rate)
        self.seed = seed
        if self.rate > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.supports_masking = True

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        batch, _, channels = ops.shape(inputs)
        return keras.random.dropout(
            inputs,
            self.rate,
            noise_shape=(batch, 1, channels),
            seed=self.seed_generator,
        )

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
        }
