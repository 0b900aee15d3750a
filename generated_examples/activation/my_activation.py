"""`MyActivation`: an activation function as a layer."""

import keras


@keras.saving.register_keras_serializable(package="examples")
class MyActivation(keras.layers.Layer):
    """Activation function: `activation(x)`.

    Args:
        activation: Activation function or its name, `None` for the identity.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ...)`, any rank.

    Output shape:
        Same shape as the input.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> layer = MyActivation("relu")
    >>> [float(x) for x in layer(keras.ops.array([-3.0, 0.0, 2.0]))]
    [0.0, 0.0, 2.0]

    Reference:
        Drop-in for `keras.layers.Activation`.
    """

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = keras.activations.get(activation)
        self.supports_masking = True

    def call(self, inputs):
        return self.activation(inputs)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
        }
