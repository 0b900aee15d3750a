"""`BranchNet`: a model composed of layers."""

import keras

from branch_net_conv import BranchNetConv


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class BranchNet(keras.Model):
    """Layers in branches.

    From the inputs to the outputs: `Conv2D`, (`BranchNetConv`, `ReLU`) with a shortcut,
    `Concatenate` of (`MaxPooling2D`, `Flatten`) and (`GlobalMaxPooling2D`, (`Dense`)
    with a shortcut), `Dense`.

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

    >>> model = BranchNet(shape=(8, 8, 1))
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
        x = keras.layers.Conv2D(
            filters=16, kernel_size=3, padding="same", dtype=dtype, name="conv2d"
        )(x)
        residual = x
        x = BranchNetConv(
            filters=16, kernel_size=3, padding="same", dtype=dtype, name="conv"
        )(x)
        x = keras.layers.ReLU(dtype=dtype, name="re_lu")(x)
        x = keras.layers.Add(dtype=dtype, name="residual")([residual, x])
        concatenate = x
        concatenate_branches = []
        x = keras.layers.MaxPooling2D(dtype=dtype, name="max_pooling2d")(x)
        x = keras.layers.Flatten(dtype=dtype, name="flatten")(x)
        concatenate_branches.append(x)
        x = concatenate
        x = keras.layers.GlobalMaxPooling2D(dtype=dtype, name="global_max_pooling2d")(x)
        residual_1 = x
        x = keras.layers.Dense(units=16, dtype=dtype, name="dense")(x)
        x = keras.layers.Add(dtype=dtype, name="residual_1")([residual_1, x])
        concatenate_branches.append(x)
        x = keras.layers.Concatenate(dtype=dtype, name="concatenate")(
            concatenate_branches
        )
        outputs = keras.layers.Dense(units=10, dtype=dtype, name="dense_1")(x)
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
