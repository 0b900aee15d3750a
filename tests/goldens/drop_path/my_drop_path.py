"""`MyDropPath`: stochastic depth."""

import numbers

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="golden")
class MyDropPath(keras.layers.Layer):
    """Stochastic depth: `inputs * kept / (1 - rate)` in training.

    Placed at the end of a residual branch, `x + drop_path(branch(x))`, it randomly
    drops the branch for individual samples. `kept` is 0 with probability `rate` and 1
    otherwise, drawn in each call once per sample. Kept samples are scaled up, so that
    the expected output equals the input. At inference the output is the input.

    Args:
        rate: Float from 0 to 1, fraction of the samples to drop.
        seed: Int, seed for the random draws, or `None` for a random seed. Defaults to
            `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ...)`, any rank.

    Output shape:
        Same shape as the input.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> layer = MyDropPath(0.5, seed=3)
    >>> outputs = layer(keras.ops.ones((8, 6, 6, 3)), training=True)
    >>> sorted({float(x) for x in keras.ops.ravel(outputs)})
    [0.0, 2.0]

    Reference:
        Huang et al., 2016, https://arxiv.org/abs/1603.09382, but scaled in training
        instead of at inference.
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
        self.supports_masking = True

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        batch, *axes = ops.shape(inputs)
        noise_shape = (batch, *(1 for _ in axes))
        return keras.random.dropout(
            inputs, self.rate, noise_shape=noise_shape, seed=self.seed_generator
        )

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
        }
