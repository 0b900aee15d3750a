"""`MyDropout`: dropout."""

import numbers

import keras


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class MyDropout(keras.layers.Layer):
    """Dropout: `inputs * kept / (1 - rate)` in training.

    `kept` is 0 with probability `rate` and 1 otherwise, drawn in each call for each
    element independently. Kept elements are scaled up, so that the expected output
    equals the input. At inference the output is the input.

    Args:
        rate: Float from 0 to 1, fraction of the elements to drop.
        noise_shape: Tuple of positive ints and `None`, the shape of `kept`: it is
            shared along axes of size 1, and `None` means the input's size. `None` for
            the input's shape. Defaults to `None`.
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

    >>> layer = MyDropout(0.5, noise_shape=(None, 1, 4), seed=3)
    >>> outputs = layer(keras.ops.ones((2, 3, 4)), training=True)
    >>> sorted({float(x) for x in keras.ops.ravel(outputs)})
    [0.0, 2.0]

    Reference:
        Drop-in for `keras.layers.Dropout`.

        [Srivastava et al., 2014](https://jmlr.org/papers/v15/srivastava14a.html)
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(rate, numbers.Real) or not 0 <= rate <= 1:
            raise ValueError(
                f"`rate` must be a float in the range [0, 1]. Received: rate={rate!r}"
            )
        if noise_shape is not None and (
            not isinstance(noise_shape, (list, tuple))
            or not all(
                size is None or (is_int(size) and size > 0) for size in noise_shape
            )
        ):
            raise ValueError(
                "`noise_shape` must be a tuple of positive ints and Nones, or None. "
                f"Received: noise_shape={noise_shape!r}"
            )
        self.rate = float(rate)
        self.noise_shape = (
            None
            if noise_shape is None
            else tuple(None if size is None else int(size) for size in noise_shape)
        )
        self.seed = seed
        if self.rate > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        return keras.random.dropout(
            inputs, self.rate, noise_shape=self.noise_shape, seed=self.seed_generator
        )

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "rate": self.rate,
            "noise_shape": self.noise_shape,
            "seed": self.seed,
        }
