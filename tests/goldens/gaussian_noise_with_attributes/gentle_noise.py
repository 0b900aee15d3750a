"""`GentleNoise`: additive Gaussian noise."""

import numbers

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="golden")
class GentleNoise(keras.layers.Layer):
    """Gaussian noise: `inputs + noise` in training.

    `noise` is normal with mean 0 and standard deviation `stddev`, drawn in each call
    for each element independently. At inference the output is the input.

    Args:
        stddev: Float from 0 to 1, standard deviation of the noise. Defaults to `0.01`.
        seed: Int, seed for the noise, or `None` for a random seed. Defaults to `7`.
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

    >>> layer = GentleNoise(0.1, seed=3)
    >>> outputs = layer(keras.ops.ones((2, 3)), training=True)
    >>> len({float(x) for x in keras.ops.ravel(outputs)})
    6

    Reference:
        As `keras.layers.GaussianNoise`, but with its own arguments or defaults.
    """

    def __init__(self, stddev=0.01, seed=7, gain=1.0, label="mine", **kwargs):
        super().__init__(**kwargs)
        if not isinstance(stddev, numbers.Real) or not 0 <= stddev <= 1:
            raise ValueError(
                "`stddev` must be a float in the range [0, 1]. "
                f"Received: stddev={stddev!r}"
            )
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
        self.stddev = float(stddev)
        self.seed = seed
        if self.stddev > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.gain = float(gain)
        self.label = label
        self.supports_masking = True

    def call(self, inputs, training=False):
        # TODO: use `self.gain` and `self.label`: they have no effect yet.
        if not training or self.stddev == 0:
            return inputs
        noise = keras.random.normal(
            ops.shape(inputs),
            stddev=self.stddev,
            dtype=self.compute_dtype,
            seed=self.seed_generator,
        )
        return ops.add(inputs, noise)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "stddev": self.stddev,
            "seed": self.seed,
            "gain": self.gain,
            "label": self.label,
        }
