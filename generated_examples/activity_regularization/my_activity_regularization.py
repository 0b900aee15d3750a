"""`MyActivityRegularization`: an activity penalty."""

import numbers

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="examples")
class MyActivityRegularization(keras.layers.Layer):
    """Activity penalty on the inputs, which are returned unchanged.

    (l1 * sum(abs(inputs)) + l2 * sum(square(inputs))) / batch

    is added to the loss, so that the preceding layers learn smaller activations, sparse
    ones with `l1`.

    Args:
        l1: Non-negative float, factor of the absolute values. Defaults to `0.0`.
        l2: Non-negative float, factor of the squares. Defaults to `0.0`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ...)`, any rank.

    Output shape:
        Same shape as the input.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> layer = MyActivityRegularization(l1=0.5)
    >>> outputs = layer(keras.ops.ones((2, 3)))
    >>> [float(loss) for loss in layer.losses]
    [1.5]

    Reference:
        Drop-in for `keras.layers.ActivityRegularization`.
    """

    def __init__(self, l1=0.0, l2=0.0, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(l1, numbers.Real) or not l1 >= 0:
            raise ValueError(f"`l1` must be a non-negative float. Received: l1={l1!r}")
        if not isinstance(l2, numbers.Real) or not l2 >= 0:
            raise ValueError(f"`l2` must be a non-negative float. Received: l2={l2!r}")
        self.l1 = float(l1)
        self.l2 = float(l2)
        self.supports_masking = True

    def call(self, inputs):
        # A sum of squares easily overflows in float16.
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        penalty = self.l1 * ops.sum(ops.absolute(x)) + self.l2 * ops.sum(ops.square(x))
        self.add_loss(ops.divide(penalty, ops.cast(ops.shape(x)[0], x.dtype)))
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "l1": self.l1,
            "l2": self.l2,
        }
