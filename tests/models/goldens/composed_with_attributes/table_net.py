"""`TableNet`: a model composed of layers."""

import numbers

import keras

from table_net_dense import TableNetDense


def is_int(value):
    """Return whether `value` is an int, and not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class TableNet(keras.Model):
    """Layers one after the other.

    From the inputs to the outputs: `TableNetDense`, `Dense`.

    Args:
        shape: Tuple of positive ints, the axes of the inputs without the batch.
        gain: Float greater than 0. Defaults to `1.0`.
        dtype: Dtype or dtype policy of all layers. Defaults to Keras's own.
        name: String, the model's name. Defaults to one after the class.
        trainable: Bool, whether the weights are to be trained. Defaults to `True`.

    Input shape:
        `(batch, *shape)`.

    Output shape:
        That of the last layer, `Dense`.

    Raises:
        ValueError: If an argument is none of the values above.

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
        # TODO: put `self.gain` to use: nothing depends on it yet.
        x = inputs
        x = TableNetDense(units=16, activation="relu", dtype=dtype, name="dense")(x)
        outputs = keras.layers.Dense(units=1, dtype=dtype, name="dense_1")(x)
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.shape = tuple(shape)
        self.gain = float(gain)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile with an optimizer, a loss and metrics that suit the model.

        Args:
            learning_rate: Float or schedule, that of this optimizer.
            **kwargs: Arguments of `compile`, some of which may replace these.
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
