"""`TableNet`: a model composed of layers."""

import numbers

import keras

from table_net_dense import TableNetDense


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class TableNet(keras.Model):
    """Chain of layers.

    From the inputs to the outputs: `TableNetDense`, `Dense`.

    Args:
        shape: Tuple of positive ints, shape of the inputs without the batch axis.
        gain: Float greater than 0. Defaults to `1.0`.
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

    >>> model = TableNet(shape=(30,))
    >>> model.input_shape
    (None, 30)
    """

    def __init__(
        self,
        shape,
        gain=1.0,
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
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        inputs = keras.Input(shape)
        # TODO: use `self.gain`: it has no effect yet.
        x = inputs
        x = TableNetDense(units=16, activation="relu", dtype=dtype, name="dense")(x)
        outputs = keras.layers.Dense(units=1, dtype=dtype, name="dense_1")(x)
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.shape = tuple(shape)
        self.gain = float(gain)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile the model with a suitable optimizer, loss and metrics.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.AdamW(
                    weight_decay=0.01, learning_rate=learning_rate
                ),
                "loss": keras.losses.Huber(delta=2.0),
                "metrics": ["mae"],
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "shape": self.shape,
            "gain": self.gain,
        }
