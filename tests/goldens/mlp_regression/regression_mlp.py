"""`RegressionMLP`: a multi-layer perceptron."""

import numbers

import keras


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class RegressionMLP(keras.Model):
    """Multi-layer perceptron: a stack of dense layers.

    Each hidden layer is `dropout(activation(x @ kernel + bias))`.

    Args:
        num_outputs: Positive int, number of values the model predicts.
        hidden_units: Tuple of positive ints, units of each hidden layer. Defaults to
            `(64, 64)`.
        activation: Activation function of the hidden layers or its name, `None` for the
            identity. Defaults to `"relu"`.
        dropout: Float in `[0, 1)`, fraction of the hidden units to drop in training.
            Defaults to `0.0`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, num_features)`.

    Output shape:
        `(batch, num_outputs)`.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = RegressionMLP(num_outputs=2, hidden_units=(16, 8))
    >>> tuple(model(keras.ops.ones((2, 30))).shape)
    (2, 2)

    Reference:
        [Rumelhart et al., 1986](https://doi.org/10.1038/323533a0)
    """

    def __init__(
        self,
        num_outputs,
        hidden_units=(64, 64),
        activation="relu",
        dropout=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(num_outputs) or num_outputs <= 0:
            raise ValueError(
                "`num_outputs` must be a positive int. "
                f"Received: num_outputs={num_outputs!r}"
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
        self.num_outputs = num_outputs
        self.hidden_units = tuple(hidden_units)
        self.activation = keras.activations.get(activation)
        self.dropout = float(dropout)
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
        self.head = keras.layers.Dense(
            num_outputs, dtype=self.dtype_policy, name="head"
        )

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(keras.Input(batch_shape=input_shape))

    def call(self, inputs, training=None):
        x = inputs
        for layer in self.hidden_layers:
            x = layer(x, training=training)
        return self.head(x)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.num_outputs)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile the model with a suitable optimizer, loss and metrics.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate),
                "loss": "mse",
                "metrics": ["mae"],
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "num_outputs": self.num_outputs,
            "hidden_units": self.hidden_units,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
        }
