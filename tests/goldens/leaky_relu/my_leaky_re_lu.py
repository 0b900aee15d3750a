"""`MyLeakyReLU`: a leaky ReLU."""

import numbers

import keras


@keras.saving.register_keras_serializable(package="golden")
class MyLeakyReLU(keras.layers.Layer):
    """Leaky ReLU: `max(x, 0) + negative_slope * min(x, 0)`.

    A unit that is negative for all inputs still gets a gradient, and can thus recover.

    Args:
        negative_slope: Non-negative float, slope for negative inputs. Defaults to
            `0.3`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ...)`, any rank.

    Output shape:
        Same shape as the input.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> layer = MyLeakyReLU(0.5)
    >>> [float(x) for x in layer(keras.ops.array([-10.0, -5.0, 0.0, 5.0]))]
    [-5.0, -2.5, 0.0, 5.0]

    Reference:
        Drop-in for `keras.layers.LeakyReLU`, without the deprecated `alpha`.

        Maas et al., 2013, "Rectifier Nonlinearities Improve Neural Network Acoustic
        Models".
    """

    def __init__(self, negative_slope=0.3, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(negative_slope, numbers.Real) or not negative_slope >= 0:
            raise ValueError(
                "`negative_slope` must be a non-negative float. "
                f"Received: negative_slope={negative_slope!r}"
            )
        self.negative_slope = float(negative_slope)
        self.supports_masking = True

    def call(self, inputs):
        return keras.activations.leaky_relu(inputs, negative_slope=self.negative_slope)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "negative_slope": self.negative_slope,
        }
