"""`PricesWideDeep`: a linear model beside a multi-layer perceptron."""

import numbers

import keras


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class PricesWideDeep(keras.Model):
    """Wide and deep: a linear model and a multi-layer perceptron, trained jointly.

    The wide part is linear in its inputs, which should be zeros and ones: categories,
    bins, and crosses (products) of them. It memorizes which of them go with which
    target. The deep part is a multi-layer perceptron over numbers or embeddings, and
    generalizes to unseen combinations. The outputs are their sum::

        outputs = wide @ linear_kernel + hidden(deep) @ head_kernel + head_bias

    Both parts are trained by one optimizer; the paper uses FTRL with L1 for the wide
    part and AdaGrad for the deep part.

    Args:
        num_wide_features: Positive int, size of the last axis of the wide inputs.
        num_deep_features: Positive int, size of the last axis of the deep inputs.
        num_outputs: Positive int, number of values to predict.
        hidden_units: Tuple of positive ints, units of each hidden layer of the deep
            part. Defaults to `(64, 32)`.
        activation: Activation function of the hidden layers or its name, `None` for the
            identity. Defaults to `"relu"`.
        dropout: Float in `[0, 1)`, fraction of the hidden units to drop in training.
            Defaults to `0.0`.
        wide_regularizer: Regularizer of the wide part's kernel or its name, or `None`.
            `"l1"` keeps few crosses. Defaults to `None`.
        dtype: Dtype or dtype policy of all layers. Defaults to Keras's global policy.
        name: String, name of the model. Defaults to a name derived from the class.
        trainable: Bool, whether the weights are trainable. Defaults to `True`.

    Input shape:
        A dict: `"wide"` of shape `(batch, num_wide_features)`, `"deep"` of shape
        `(batch, num_deep_features)`.

    Output shape:
        `(batch, num_outputs)`.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = PricesWideDeep(
    ...     num_wide_features=50, num_deep_features=10, num_outputs=2, hidden_units=(16,
    ...     8)
    ... )
    >>> inputs = {"wide": keras.ops.ones((2, 50)), "deep": keras.ops.ones((2, 10))}
    >>> tuple(model(inputs).shape)
    (2, 2)

    Reference:
        [Cheng et al., 2016](https://arxiv.org/abs/1606.07792)
    """

    def __init__(
        self,
        num_wide_features,
        num_deep_features,
        num_outputs,
        hidden_units=(64, 32),
        activation="relu",
        dropout=0.0,
        wide_regularizer=None,
        dtype=None,
        name=None,
        trainable=True,
    ):
        if not is_int(num_wide_features) or num_wide_features <= 0:
            raise ValueError(
                "`num_wide_features` must be a positive int. "
                f"Received: num_wide_features={num_wide_features!r}"
            )
        if not is_int(num_deep_features) or num_deep_features <= 0:
            raise ValueError(
                "`num_deep_features` must be a positive int. "
                f"Received: num_deep_features={num_deep_features!r}"
            )
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
        hidden_layers = []
        for i, units in enumerate(hidden_units):
            dense = keras.layers.Dense(
                units, activation=activation, dtype=dtype, name=f"hidden_{i}"
            )
            drop = keras.layers.Dropout(dropout, dtype=dtype, name=f"dropout_{i}")
            hidden_layers += [dense, drop]
        # Without a bias, since the head has one.
        linear = keras.layers.Dense(
            num_outputs,
            use_bias=False,
            kernel_regularizer=wide_regularizer,
            dtype=dtype,
            name="linear",
        )
        head = keras.layers.Dense(num_outputs, dtype=dtype, name="head")
        inputs = {
            "wide": keras.Input((num_wide_features,), name="wide"),
            "deep": keras.Input((num_deep_features,), name="deep"),
        }
        x = inputs["deep"]
        for layer in hidden_layers:
            x = layer(x)
        outputs = linear(inputs["wide"]) + head(x)
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.num_wide_features = num_wide_features
        self.num_deep_features = num_deep_features
        self.num_outputs = num_outputs
        self.hidden_units = tuple(hidden_units)
        self.activation = keras.activations.get(activation)
        self.dropout = float(dropout)
        self.wide_regularizer = keras.regularizers.get(wide_regularizer)

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
            "num_wide_features": self.num_wide_features,
            "num_deep_features": self.num_deep_features,
            "num_outputs": self.num_outputs,
            "hidden_units": self.hidden_units,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "wide_regularizer": keras.regularizers.serialize(self.wide_regularizer),
        }
