"""`CustomSequential`: a model composed of layers."""

import keras

from custom_conv2d import CustomConv2D
from custom_dense import CustomDense


def is_int(value):
    """Return whether `value` is an int, and not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="examples")
class CustomSequential(keras.Sequential):
    """Layers one after the other.

    From the inputs to the outputs: `CustomConv2D`, `Flatten`, `CustomDense`.

    Args:
        shape: Tuple of positive ints, the axes of the inputs without the batch.
        dtype: Dtype or dtype policy of all layers. Defaults to Keras's own.
        name: String, the model's name. Defaults to one after the class.
        trainable: Bool, whether the weights are to be trained. Defaults to `True`.

    Input shape:
        `(batch, *shape)`.

    Output shape:
        That of the last layer, `CustomDense`.

    Raises:
        ValueError: If an argument is none of the values above.

    Example:

    >>> model = CustomSequential(shape=(8, 8, 1))
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
        super().__init__(
            [
                inputs,
                CustomConv2D(
                    filters=16,
                    kernel_size=3,
                    activation="relu",
                    dtype=dtype,
                    name="custom_conv2d",
                ),
                keras.layers.Flatten(dtype=dtype, name="flatten"),
                CustomDense(units=10, dtype=dtype, name="custom_dense"),
            ],
            name=name,
            trainable=trainable,
        )
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.shape = tuple(shape)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile with an optimizer, a loss and metrics that suit the model.

        Args:
            learning_rate: Float or schedule, that of this optimizer.
            **kwargs: Arguments of `compile`, some of which may replace these.
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
