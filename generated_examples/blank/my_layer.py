"""`MyLayer`: TODO, a short description."""

import keras


@keras.saving.register_keras_serializable(package="examples")
class MyLayer(keras.layers.Layer):
    """TODO: what `MyLayer` computes, as a formula. So far: `inputs`.

    Args:
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ...)`.

    Output shape:
        Same shape as the input.

    Example:

    >>> layer = MyLayer()
    >>> tuple(layer(keras.ops.ones((2, 3))).shape)
    (2, 3)
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def build(self, input_shape):
        # TODO: create the weights here, with
        # `self.add_weight(name="kernel", shape=...)`.
        super().build(input_shape)

    def call(self, inputs):
        # TODO: compute the outputs from the inputs, with `keras.ops`.
        return inputs

    def compute_output_shape(self, input_shape):
        # TODO: return the shape of the outputs; `None` means an unknown size.
        return input_shape

    def get_config(self):
        # TODO: add an entry for each constructor argument.
        return super().get_config()
