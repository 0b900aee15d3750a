"""`RowNet`: a model composed of layers."""

import keras


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class RowNet(keras.Sequential):
    """Chain of layers.

    From the inputs to the outputs: `LSTM`, `Dense`.

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

    >>> model = RowNet(shape=(8, 8))
    >>> model.input_shape
    (None, 8, 8)
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
        super().__init__(
            [
                inputs,
                keras.layers.LSTM(units=32, dtype=dtype, name="lstm"),
                keras.layers.Dense(units=10, dtype=dtype, name="dense"),
            ],
            name=name,
            trainable=trainable,
        )
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
            **keras.Model.get_config(self),
            "shape": self.shape,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)
