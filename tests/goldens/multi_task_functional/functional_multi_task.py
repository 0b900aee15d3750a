"""`FunctionalMultiTask`: a trunk shared by several tasks."""

import numbers

import keras


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class FunctionalMultiTask(keras.Model):
    """Multi-task network: two inputs, a shared trunk, two outputs.

    Each input has its own dense layer. Their concatenated outputs go through the trunk,
    dense layers with dropout, then through a dense layer for each task. The tasks share
    what the trunk learns. `compile_for_training` minimizes
    `cross_entropy(label) + value_weight * mean_squared_error(value)`.

    Args:
        num_left_features: Positive int, size of the last axis of the left inputs.
        num_right_features: Positive int, size of the last axis of the right inputs.
        num_classes: Positive int, number of classes of the label.
        num_outputs: Positive int, size of the value.
        encoder_units: Positive int, units of the dense layer of each input. Defaults to
            `32`.
        hidden_units: Tuple of positive ints, units of each layer of the shared trunk.
            Defaults to `(64, 32)`.
        activation: Activation function of the encoders and the trunk or its name,
            `None` for the identity. Defaults to `"relu"`.
        dropout: Float in `[0, 1)`, fraction of the trunk's units to drop in training.
            Defaults to `0.0`.
        value_weight: Positive float, weight of the value's loss; that of the label's is
            1. Defaults to `1.0`.
        dtype: Dtype or dtype policy of all layers. Defaults to Keras's global policy.
        name: String, name of the model. Defaults to a name derived from the class.
        trainable: Bool, whether the weights are trainable. Defaults to `True`.

    Input shape:
        A dict: `"left"` of shape `(batch, num_left_features)`, `"right"` of shape
        `(batch, num_right_features)`.

    Output shape:
        A dict: `"label"` of shape `(batch, num_classes)`, a logit for each class, and
        `"value"` of shape `(batch, num_outputs)`.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = FunctionalMultiTask(
    ...     num_left_features=6, num_right_features=4, num_classes=3, num_outputs=2,
    ...     hidden_units=(16, 8)
    ... )
    >>> inputs = {"left": keras.ops.ones((2, 6)), "right": keras.ops.ones((2, 4))}
    >>> {name: tuple(y.shape) for name, y in model(inputs).items()}
    {'label': (2, 3), 'value': (2, 2)}

    Reference:
        [Caruana, 1997](https://doi.org/10.1023/A:1007379606734)
    """

    def __init__(
        self,
        num_left_features,
        num_right_features,
        num_classes,
        num_outputs,
        encoder_units=32,
        hidden_units=(64, 32),
        activation="relu",
        dropout=0.0,
        value_weight=1.0,
        dtype=None,
        name=None,
        trainable=True,
    ):
        if not is_int(num_left_features) or num_left_features <= 0:
            raise ValueError(
                "`num_left_features` must be a positive int. "
                f"Received: num_left_features={num_left_features!r}"
            )
        if not is_int(num_right_features) or num_right_features <= 0:
            raise ValueError(
                "`num_right_features` must be a positive int. "
                f"Received: num_right_features={num_right_features!r}"
            )
        if not is_int(num_classes) or num_classes <= 0:
            raise ValueError(
                "`num_classes` must be a positive int. "
                f"Received: num_classes={num_classes!r}"
            )
        if not is_int(num_outputs) or num_outputs <= 0:
            raise ValueError(
                "`num_outputs` must be a positive int. "
                f"Received: num_outputs={num_outputs!r}"
            )
        if not is_int(encoder_units) or encoder_units <= 0:
            raise ValueError(
                "`encoder_units` must be a positive int. "
                f"Received: encoder_units={encoder_units!r}"
            )
        if not isinstance(hidden_units, (list, tuple)) or not all(
            is_int(item) and item > 0 for item in hidden_units
        ):
            raise ValueError(
                "`hidden_units` must be a tuple of positive ints. "
                f"Received: hidden_units={hidden_units!r}"
            )
        if not isinstance(dropout, numbers.Real) or not 0 <= dropout < 1:
            raise ValueError(
                "`dropout` must be a float in the range [0, 1). "
                f"Received: dropout={dropout!r}"
            )
        if not isinstance(value_weight, numbers.Real) or not value_weight > 0:
            raise ValueError(
                "`value_weight` must be a float greater than 0. "
                f"Received: value_weight={value_weight!r}"
            )
        left_encoder = keras.layers.Dense(
            encoder_units, activation=activation, dtype=dtype, name="left_encoder"
        )
        right_encoder = keras.layers.Dense(
            encoder_units, activation=activation, dtype=dtype, name="right_encoder"
        )
        concatenate = keras.layers.Concatenate(dtype=dtype, name="concatenate")
        hidden_layers = []
        for i, units in enumerate(hidden_units):
            dense = keras.layers.Dense(
                units, activation=activation, dtype=dtype, name=f"hidden_{i}"
            )
            drop = keras.layers.Dropout(dropout, dtype=dtype, name=f"dropout_{i}")
            hidden_layers += [dense, drop]
        label_head = keras.layers.Dense(num_classes, dtype=dtype, name="label_head")
        value_head = keras.layers.Dense(num_outputs, dtype=dtype, name="value_head")
        inputs = {
            "left": keras.Input((num_left_features,), name="left"),
            "right": keras.Input((num_right_features,), name="right"),
        }
        left = left_encoder(inputs["left"])
        right = right_encoder(inputs["right"])
        x = concatenate([left, right])
        for layer in hidden_layers:
            x = layer(x)
        outputs = {"label": label_head(x), "value": value_head(x)}
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.num_left_features = num_left_features
        self.num_right_features = num_right_features
        self.num_classes = num_classes
        self.num_outputs = num_outputs
        self.encoder_units = encoder_units
        self.hidden_units = tuple(hidden_units)
        self.activation = keras.activations.get(activation)
        self.dropout = float(dropout)
        self.value_weight = float(value_weight)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile the model with a suitable optimizer, loss and metrics.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate),
                "loss": {
                    "label": keras.losses.SparseCategoricalCrossentropy(
                        from_logits=True
                    ),
                    "value": "mse",
                },
                "loss_weights": {"label": 1.0, "value": self.value_weight},
                "metrics": {"label": ["accuracy"], "value": ["mae"]},
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "num_left_features": self.num_left_features,
            "num_right_features": self.num_right_features,
            "num_classes": self.num_classes,
            "num_outputs": self.num_outputs,
            "encoder_units": self.encoder_units,
            "hidden_units": self.hidden_units,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "value_weight": self.value_weight,
        }
