"""`FeaturesMLP`: a multi-layer perceptron."""

import numbers

import keras


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class FeaturesMLP(keras.Model):
    """Multi-layer perceptron: a stack of dense layers.

    Each hidden layer is `dropout(activation(x @ kernel + bias))`.

    Args:
        num_features: Positive int, size of the last axis of the inputs.
        hidden_units: Tuple of positive ints, units of each hidden layer. Defaults to
            `(64, 64)`.
        activation: Activation function of the hidden layers or its name, `None` for the
            identity. Defaults to `"relu"`.
        dropout: Float in `[0, 1)`, fraction of the hidden units to drop in training.
            Defaults to `0.0`.
        dtype: Dtype or dtype policy of all layers. Defaults to Keras's global policy.
        name: String, name of the model. Defaults to a name derived from the class.
        trainable: Bool, whether the weights are trainable. Defaults to `True`.

    Input shape:
        `(batch, num_features)`.

    Output shape:
        `(batch, hidden_units[-1])`.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = FeaturesMLP(num_features=30, hidden_units=(16, 8))
    >>> tuple(model(keras.ops.ones((2, 30))).shape)
    (2, 8)

    Reference:
        [Rumelhart et al., 1986](https://doi.org/10.1038/323533a0)
    """

    def __init__(
        self,
        num_features,
        hidden_units=(64, 64),
        activation="relu",
        dropout=0.0,
        dtype=None,
        name=None,
        trainable=True,
    ):
        if not is_int(num_features) or num_features <= 0:
            raise ValueError(
                "`num_features` must be a positive int. "
                f"Received: num_features={num_features!r}"
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
        hidden_layers = []
        for i, units in enumerate(hidden_units):
            dense = keras.layers.Dense(
                units, activation=activation, dtype=dtype, name=f"hidden_{i}"
            )
            drop = keras.layers.Dropout(dropout, dtype=dtype, name=f"dropout_{i}")
            hidden_layers += [dense, drop]
        inputs = keras.Input((num_features,))
        x = inputs
        for layer in hidden_layers:
            x = layer(x)
        outputs = x
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.num_features = num_features
        self.hidden_units = tuple(hidden_units)
        self.activation = keras.activations.get(activation)
        self.dropout = float(dropout)

    def get_config(self):
        return {
            **super().get_config(),
            "num_features": self.num_features,
            "hidden_units": self.hidden_units,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
        }
