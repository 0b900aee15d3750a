"""`MyNet`: a model composed of layers."""

import keras

from my_net_conv import MyNetConv


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class MyNet(keras.Model):
    """Chain of layers.

    From the inputs to the outputs: `MyNetConv`, `MaxPooling2D`, `Flatten`, `Dropout`,
    `Dense`.

    Args:
        shape: Tuple of positive ints, shape of the inputs without the batch axis.
        dtype: Dtype or dtype policy of all layers. Defaults to Keras's global policy.
        name: String, name of the model. Defaults to a name derived from the class.
        trainable: Bool, whether the weights are trainable. Defaults to `True`.

    Input shape:
        `(batch, *shape)`.

    Output shape:
        The output shape of the last layer, `Dense`.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = MyNet(shape=(8, 8, 1))
    >>> model.input_shape
    (None, 8, 8, 1)
    """

    def __init__(
        self,
        shape,
        dtype=None,
        name=None,
        trainable=True,
    ):
        if not isinstance(shape, (list, tuple)) or not all(
            is_int(item) and item > 0 for item in shape
        ):
            raise ValueError(
                f"`shape` must be a tuple of positive ints. Received: shape={shape!r}"
            )
        inputs = keras.Input(shape)
        x = inputs
        x = MyNetConv(filters=8, kernel_size=3, dtype=dtype, name="conv")(x)
        x = keras.layers.MaxPooling2D(dtype=dtype, name="max_pooling2d")(x)
        x = keras.layers.Flatten(dtype=dtype, name="flatten")(x)
        x = keras.layers.Dropout(rate=0.2, dtype=dtype, name="dropout")(x)
        outputs = keras.layers.Dense(units=10, dtype=dtype, name="dense")(x)
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.shape = tuple(shape)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile the model with a suitable optimizer, loss and metrics.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate),
                "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                "metrics": ["accuracy"],
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "shape": self.shape,
        }
