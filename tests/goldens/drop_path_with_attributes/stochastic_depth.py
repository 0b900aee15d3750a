"""`StochasticDepth`: stochastic depth."""

import numbers

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="golden")
class StochasticDepth(keras.layers.Layer):
    """Stochastic depth: `inputs * kept / (1 - rate)` in training.

    Placed at the end of a residual branch, `x + drop_path(branch(x))`, it randomly
    drops the branch for individual samples. `kept` is 0 with probability `rate` and 1
    otherwise, drawn in each call once per sample. Kept samples are scaled up, so that
    the expected output equals the input. At inference the output is the input.

    Args:
        rate: Float from 0 to 1, fraction of the samples to drop. Defaults to `0.2`.
        seed: Int, seed for the random draws, or `None` for a random seed. Defaults to
            `7`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ...)`, any rank.

    Output shape:
        Same shape as the input.

    Raises:
        TypeError: If `label` has the wrong type.
        ValueError: If an argument is invalid.

    Example:

    >>> layer = StochasticDepth(0.5, seed=3)
    >>> outputs = layer(keras.ops.ones((8, 6, 6, 3)), training=True)
    >>> sorted({float(x) for x in keras.ops.ravel(outputs)})
    [0.0, 2.0]

    Reference:
        Huang et al., 2016, https://arxiv.org/abs/1603.09382, but scaled in training
        instead of at inference.
    """

    def __init__(self, rate=0.2, seed=7, gain=1.0, label="mine", **kwargs):
        super().__init__(**kwargs)
        if not isinstance(rate, numbers.Real) or not 0 <= rate <= 1:
            raise ValueError(
                f"`rate` must be a float in the range [0, 1]. Received: rate={rate!r}"
            )
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
        self.rate = float(rate)
        self.seed = seed
        if self.rate > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.gain = float(gain)
        self.label = label
        self.supports_masking = True

    def call(self, inputs, training=False):
        # TODO: use `self.gain` and `self.label`: they have no effect yet.
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
            "gain": self.gain,
            "label": self.label,
        }
