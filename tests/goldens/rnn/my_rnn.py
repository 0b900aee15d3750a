"""`MyRNN`: a recurrent network of LSTM layers."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(
    package="golden", name="MyRNN.OrthogonalInAnyDtype"
)
class OrthogonalInAnyDtype(keras.initializers.Orthogonal):
    """Orthogonal initializer in float32: JAX and Torch have no narrower QR."""

    def __call__(self, shape, dtype=None):
        values = super().__call__(shape, dtype="float32")
        return ops.cast(values, keras.backend.standardize_dtype(dtype))


@keras.saving.register_keras_serializable(package="golden")
class MyRNN(keras.Model):
    """Recurrent network: LSTM layers over a sequence.

    Each layer processes the outputs of the previous one. The features are the final
    state of the last layer. Each layer is followed by dropout. Masked steps are
    skipped.

    Args:
        num_classes: Positive int, number of classes; the model outputs a logit for
            each.
        units: Positive int, size of the state of each recurrent layer. Defaults to
            `64`.
        num_layers: Positive int, number of recurrent layers. Defaults to `1`.
        dropout: Float in `[0, 1)`, fraction of each recurrent layer's outputs to drop
            in training. Defaults to `0.0`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, steps, num_features)`.

    Output shape:
        `(batch, num_classes)`, a logit for each class.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = MyRNN(num_classes=3, units=16)
    >>> tuple(model(keras.ops.ones((2, 20, 8))).shape)
    (2, 3)

    Reference:
        [Hochreiter and Schmidhuber, 1997](https://doi.org/10.1162/neco.1997.9.8.1735)
    """

    def __init__(self, num_classes, units=64, num_layers=1, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        if not is_int(num_classes) or num_classes <= 0:
            raise ValueError(
                "`num_classes` must be a positive int. "
                f"Received: num_classes={num_classes!r}"
            )
        if not is_int(units) or units <= 0:
            raise ValueError(
                f"`units` must be a positive int. Received: units={units!r}"
            )
        if not is_int(num_layers) or num_layers <= 0:
            raise ValueError(
                "`num_layers` must be a positive int. "
                f"Received: num_layers={num_layers!r}"
            )
        if not isinstance(dropout, numbers.Real) or not 0 <= dropout < 1:
            raise ValueError(
                "`dropout` must be a float in the range [0, 1). "
                f"Received: dropout={dropout!r}"
            )
        self.num_classes = num_classes
        self.units = units
        self.num_layers = num_layers
        self.dropout = float(dropout)
        self.recurrent_layers, self.dropout_layers = [], []
        for i in range(num_layers):
            recurrent = keras.layers.LSTM(
                units,
                recurrent_initializer=OrthogonalInAnyDtype(),
                return_sequences=i < num_layers - 1,
                dtype=self.dtype_policy,
                name=f"recurrent_{i}",
            )
            drop = keras.layers.Dropout(
                dropout, dtype=self.dtype_policy, name=f"dropout_{i}"
            )
            self.recurrent_layers.append(recurrent)
            self.dropout_layers.append(drop)
        self.head = keras.layers.Dense(
            num_classes, dtype=self.dtype_policy, name="head"
        )

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(keras.Input(batch_shape=input_shape))

    def call(self, inputs, mask=None, training=None):
        x = inputs
        for recurrent, drop in zip(
            self.recurrent_layers, self.dropout_layers, strict=True
        ):
            x = drop(recurrent(x, mask=mask, training=training), training=training)
        return self.head(x)

    def compute_mask(self, inputs, mask=None):
        del inputs, mask  # The outputs have no steps to mask.

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_classes)

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
            "units": self.units,
            "num_layers": self.num_layers,
            "dropout": self.dropout,
        }
