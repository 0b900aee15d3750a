"""`MySwiGLU`: a gated linear unit with a SiLU gate."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="examples")
class MySwiGLU(keras.layers.Layer):
    """SwiGLU: `a * activation(b)`, with `a, b = split(inputs, 2)`.

    `a` is the first half of the last axis and `b`, the gate, the second half. Use it
    after a dense layer without activation and with twice the units: `layer(dense(x))`
    is `(x @ V) * silu(x @ W)`, where `V` and `W` are the halves of the dense kernel.

    Args:
        activation: Activation function of the gate or its name, `None` for the
            identity. Defaults to `"silu"`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ..., 2 * channels)`, with rank at least 2.

    Output shape:
        `(batch, ..., channels)`.

    Raises:
        ValueError: If an argument is invalid, or the input has rank 1 or a last axis of
            odd size.

    Example:

    >>> layer = MySwiGLU()
    >>> tuple(layer(keras.ops.ones((2, 6))).shape)
    (2, 3)

    Reference:
        [Shazeer, 2020](https://arxiv.org/abs/2002.05202)
    """

    def __init__(self, activation="silu", **kwargs):
        super().__init__(**kwargs)
        self.activation = keras.activations.get(activation)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape):
        self.compute_output_shape(input_shape)  # Raises if the last axis is odd.

    def call(self, inputs):
        outputs, gate = ops.split(inputs, 2, axis=-1)
        return ops.multiply(outputs, self.activation(gate))

    def compute_output_shape(self, input_shape):
        size = input_shape[-1]
        if size is None:
            return input_shape
        if size % 2 != 0:
            raise ValueError(
                "The size of the last input axis must be even. Received: "
                f"input_shape={input_shape}"
            )
        return (*input_shape[:-1], size // 2)

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
        }
