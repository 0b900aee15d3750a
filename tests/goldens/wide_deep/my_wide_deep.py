"""`MyWideDeep`: a linear model beside a multi-layer perceptron."""

import numbers

import keras


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class MyWideDeep(keras.Model):
    """Wide and deep: a linear model and a multi-layer perceptron, trained jointly.

    The wide part is linear in its inputs, which should be zeros and ones: categories,
    bins, and crosses (products) of them. It memorizes which of them go with which
    target. The deep part is a multi-layer perceptron over numbers or embeddings, and
    generalizes to unseen combinations. The outputs are their sum::

        outputs = wide @ linear_kernel + hidden(deep) @ head_kernel + head_bias

    Both parts are trained by one optimizer; the paper uses FTRL with L1 for the wide
    part and AdaGrad for the deep part.

    Args:
        num_classes: Positive int, number of classes.
        hidden_units: Tuple of positive ints, units of each hidden layer of the deep
            part. Defaults to `(64, 32)`.
        activation: Activation function of the hidden layers or its name, `None` for the
            identity. Defaults to `"relu"`.
        dropout: Float in `[0, 1)`, fraction of the hidden units to drop in training.
            Defaults to `0.0`.
        wide_regularizer: Regularizer of the wide part's kernel or its name, or `None`.
            `"l1"` keeps few crosses. Defaults to `None`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        A dict: `"wide"` of shape `(batch, num_wide_features)`, `"deep"` of shape
        `(batch, num_deep_features)`.

    Output shape:
        `(batch, num_classes)`, a logit for each class.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = MyWideDeep(num_classes=3, hidden_units=(16, 8))
    >>> inputs = {"wide": keras.ops.ones((2, 50)), "deep": keras.ops.ones((2, 10))}
    >>> tuple(model(inputs).shape)
    (2, 3)

    Reference:
        [Cheng et al., 2016](https://arxiv.org/abs/1606.07792)
    """

    def __init__(
        self,
        num_classes,
        hidden_units=(64, 32),
        activation="relu",
        dropout=0.0,
        wide_regularizer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(num_classes) or num_classes <= 0:
            raise ValueError(
                "`num_classes` must be a positive int. "
                f"Received: num_classes={num_classes!r}"
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
        self.num_classes = num_classes
        self.hidden_units = tuple(hidden_units)
        self.activation = keras.activations.get(activation)
        self.dropout = float(dropout)
        self.wide_regularizer = keras.regularizers.get(wide_regularizer)
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
        # Without a bias, since the head has one.
        self.linear = keras.layers.Dense(
            num_classes,
            use_bias=False,
            kernel_regularizer=wide_regularizer,
            dtype=self.dtype_policy,
            name="linear",
        )
        self.head = keras.layers.Dense(
            num_classes, dtype=self.dtype_policy, name="head"
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
        x = inputs["deep"]
        for layer in self.hidden_layers:
            x = layer(x, training=training)
        return self.linear(inputs["wide"]) + self.head(x)

    def compute_output_shape(self, input_shape):
        return (*input_shape["deep"][:-1], self.num_classes)

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
            "num_classes": self.num_classes,
            "hidden_units": self.hidden_units,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "wide_regularizer": keras.regularizers.serialize(self.wide_regularizer),
        }
