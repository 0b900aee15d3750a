"""`CustomELU`: `keras.layers.ELU` with attributes of its own."""

import keras


@keras.saving.register_keras_serializable(package="golden")
class CustomELU(keras.layers.ELU):
    """TODO: what it does beyond `keras.layers.ELU`.

    Args:
        alpha: As in `keras.layers.ELU`. Defaults to `1.0`.
        bound: Float greater than 0. Defaults to `1.0`.
        **kwargs: Arguments of `keras.layers.ELU`.

    Raises:
        ValueError: If an argument is none of the values above.

    Example:

    >>> layer = CustomELU(alpha=0.5)
    >>> isinstance(layer, keras.layers.ELU)
    True
    """

    def __init__(self, alpha=1.0, *, bound=1.0, **kwargs):
        super().__init__(alpha=alpha, **kwargs)
        if not isinstance(bound, (int, float)) or not bound > 0:
            raise ValueError(
                f"`bound` must be a float greater than 0. Received: bound={bound!r}"
            )
        self.bound = bound

    def call(self, inputs):
        # TODO: put `self.bound` to use: nothing depends on it yet.
        return super().call(inputs)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha, "bound": self.bound}
