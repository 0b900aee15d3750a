"""`MyProjection`: a linear map of the last axis."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class MyProjection(keras.layers.Layer):
    """Linear map of the last axis: `inputs @ kernel + bias`.

    On images, this is a 1x1 convolution: the channels of each pixel are mapped by the
    same kernel.

    Args:
        output_dim: Positive int, size of the output's last axis.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ..., input_dim)`, with rank at least 2 and `input_dim` known.

    Output shape:
        `(batch, ..., output_dim)`.

    Raises:
        ValueError: If an argument is invalid, or the input has rank 1 or a different
            `input_dim` than the layer was built with.

    Example:

    >>> layer = MyProjection(4)
    >>> tuple(layer(keras.ops.ones((2, 28, 28, 3))).shape)
    (2, 28, 28, 4)
    """

    def __init__(self, output_dim, **kwargs):
        super().__init__(**kwargs)
        if not is_int(output_dim) or output_dim <= 0:
            raise ValueError(
                "`output_dim` must be a positive int. "
                f"Received: output_dim={output_dim!r}"
            )
        self.output_dim = int(output_dim)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape):
        input_dim = input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel", shape=(input_dim, self.output_dim), initializer="uniform"
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.output_dim,), initializer="zeros"
        )
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: input_dim})

    def call(self, inputs):
        return ops.add(ops.matmul(inputs, self.kernel), self.bias)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.output_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "output_dim": self.output_dim,
        }
