"""`WeightedMultiTask`: a trunk shared by several tasks."""

import numbers

import keras


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class WeightedMultiTask(keras.Model):
    """Multi-task network: two inputs, a shared trunk, two outputs.

    Each input has its own dense layer. Their concatenated outputs go through the trunk,
    dense layers with dropout, then through a dense layer for each task. The tasks share
    what the trunk learns. `compile_for_training` minimizes
    `cross_entropy(label) + value_weight * mean_squared_error(value)`.

    Args:
        num_classes: Positive int, number of classes of the label. Defaults to `10`.
        num_outputs: Positive int, size of the value. Defaults to `1`.
        encoder_units: Positive int, units of the dense layer of each input. Defaults to
            `32`.
        hidden_units: Tuple of positive ints, units of each layer of the shared trunk.
            Defaults to `(64, 32)`.
        activation: Activation function of the encoders and the trunk or its name,
            `None` for the identity. Defaults to `"relu"`.
        dropout: Float in `[0, 1)`, fraction of the trunk's units to drop in training.
            Defaults to `0.1`.
        value_weight: Positive float, weight of the value's loss; that of the label's is
            1. Defaults to `0.3`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        A dict: `"left"` of shape `(batch, num_left_features)`, `"right"` of shape
        `(batch, num_right_features)`.

    Output shape:
        A dict: `"label"` of shape `(batch, num_classes)`, a logit for each class, and
        `"value"` of shape `(batch, num_outputs)`.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = WeightedMultiTask(num_classes=3, num_outputs=2, hidden_units=(16, 8))
    >>> inputs = {"left": keras.ops.ones((2, 6)), "right": keras.ops.ones((2, 4))}
    >>> {name: tuple(y.shape) for name, y in model(inputs).items()}
    {'label': (2, 3), 'value': (2, 2)}

    Reference:
        [Caruana, 1997](https://doi.org/10.1023/A:1007379606734)
    """

    def __init__(
        self,
        num_classes=10,
        num_outputs=1,
        encoder_units=32,
        hidden_units=(64, 32),
        activation="relu",
        dropout=0.1,
        value_weight=0.3,
        **kwargs,
    ):
        super().__init__(**kwargs)
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
        self.num_classes = num_classes
        self.num_outputs = num_outputs
        self.encoder_units = encoder_units
        self.hidden_units = tuple(hidden_units)
        self.activation = keras.activations.get(activation)
        self.dropout = float(dropout)
        self.value_weight = float(value_weight)
        self.left_encoder = keras.layers.Dense(
            encoder_units,
            activation=activation,
            dtype=self.dtype_policy,
            name="left_encoder",
        )
        self.right_encoder = keras.layers.Dense(
            encoder_units,
            activation=activation,
            dtype=self.dtype_policy,
            name="right_encoder",
        )
        self.concatenate = keras.layers.Concatenate(
            dtype=self.dtype_policy, name="concatenate"
        )
        self.hidden_layers = []
        for i, units in enumerate(hidden_units):
            dense = keras.layers.Dense(
                units,
                activation=activation,
                dtype=self.dtype_policy,
                name=f"hidden_{i}",
            )
            drop = keras.layers.Dropout(
                dropout, dtype=self.dtype_policy, name=f"dropout_{i}"
            )
            self.hidden_layers += [dense, drop]
        self.label_head = keras.layers.Dense(
            num_classes, dtype=self.dtype_policy, name="label_head"
        )
        self.value_head = keras.layers.Dense(
            num_outputs, dtype=self.dtype_policy, name="value_head"
        )

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(
            {
                name: keras.Input(batch_shape=shape)
                for name, shape in input_shape.items()
            }
        )

    def call(self, inputs, training=None):
        left = self.left_encoder(inputs["left"])
        right = self.right_encoder(inputs["right"])
        x = self.concatenate([left, right])
        for layer in self.hidden_layers:
            x = layer(x, training=training)
        return {"label": self.label_head(x), "value": self.value_head(x)}

    def compute_output_shape(self, input_shape):
        batch = input_shape["left"][:-1]
        return {
            "label": (*batch, self.num_classes),
            "value": (*batch, self.num_outputs),
        }

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
            "num_classes": self.num_classes,
            "num_outputs": self.num_outputs,
            "encoder_units": self.encoder_units,
            "hidden_units": self.hidden_units,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "value_weight": self.value_weight,
        }
