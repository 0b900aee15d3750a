"""`MyLayer`: TODO, what it is in a few words."""

import keras


@keras.saving.register_keras_serializable(package="examples")
class MyLayer(keras.layers.Layer):
    """TODO: what `MyLayer` computes, as a formula: so far, `inputs`.

    Args:
        **kwargs: `name`, `dtype` and `trainable` of `keras.layers.Layer`.

    Input shape:
        `(batch, ...)`.

    Output shape:
        The input's shape.

    Example:

    >>> layer = MyLayer()
    >>> tuple(layer(keras.ops.ones((2, 3))).shape)
    (2, 3)
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def build(self, input_shape):
        # TODO: make the weights here, with `self.add_weight(name="kernel", shape=...)`.
        super().build(input_shape)

    def call(self, inputs):
        # TODO: compute the outputs from the inputs, with `keras.ops`.
        return inputs

    def compute_output_shape(self, input_shape):
        # TODO: the shape of the outputs; `None` is a size that is not known yet.
        return input_shape

    def get_config(self):
        # TODO: an entry for each argument that the constructor gets.
        return super().get_config()
