"""`SequentialBiLSTM`: a bidirectional recurrent network of LSTM layers."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(
    package="golden", name="SequentialBiLSTM.OrthogonalInAnyDtype"
)
class OrthogonalInAnyDtype(keras.initializers.Orthogonal):
    """Orthogonal initializer in float32: JAX and Torch have no narrower QR."""

    def __call__(self, shape, dtype=None):
        values = super().__call__(shape, dtype="float32")
        return ops.cast(values, keras.backend.standardize_dtype(dtype))


@keras.saving.register_keras_serializable(package="golden")
class SequentialBiLSTM(keras.Sequential):
    """Recurrent network: bidirectional LSTM layers over a sequence.

    Each layer processes the outputs of the previous one in both directions, and
    concatenates the two states of each step. The features are the final states of the
    last layer. Each layer is followed by dropout. Masked steps are skipped.

    Args:
        num_features: Positive int, size of the last axis of the inputs.
        num_classes: Positive int, number of classes; the model outputs a logit for
            each.
        units: Positive int, size of the state of each recurrent layer. Defaults to
            `64`.
        num_layers: Positive int, number of recurrent layers. Defaults to `1`.
        dropout: Float in `[0, 1)`, fraction of each recurrent layer's outputs to drop
            in training. Defaults to `0.0`.
        dtype: Dtype or dtype policy of all layers. Defaults to Keras's global policy.
        name: String, name of the model. Defaults to a name derived from the class.
        trainable: Bool, whether the weights are trainable. Defaults to `True`.

    Input shape:
        `(batch, steps, num_features)`.

    Output shape:
        `(batch, num_classes)`, a logit for each class.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = SequentialBiLSTM(num_features=8, num_classes=3, units=16)
    >>> tuple(model(keras.ops.ones((2, 20, 8))).shape)
    (2, 3)

    Reference:
        [Hochreiter and Schmidhuber, 1997](https://doi.org/10.1162/neco.1997.9.8.1735)
    """

    def __init__(
        self,
        num_features,
        num_classes,
        units=64,
        num_layers=1,
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
        hidden_layers = []
        for i in range(num_layers):
            recurrent = keras.layers.LSTM(
                units,
                recurrent_initializer=OrthogonalInAnyDtype(),
                return_sequences=i < num_layers - 1,
                dtype=dtype,
                name=f"recurrent_{i}",
            )
            recurrent = keras.layers.Bidirectional(
                recurrent, dtype=dtype, name=f"bidirectional_{i}"
            )
            drop = keras.layers.Dropout(dropout, dtype=dtype, name=f"dropout_{i}")
            hidden_layers += [recurrent, drop]
        head = keras.layers.Dense(num_classes, dtype=dtype, name="head")
        inputs = keras.Input((None, num_features))
        super().__init__([inputs, *hidden_layers, head], name=name, trainable=trainable)
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.num_features = num_features
        self.num_classes = num_classes
        self.units = units
        self.num_layers = num_layers
        self.dropout = float(dropout)

    def compute_mask(self, inputs, mask=None):
        del inputs, mask  # The outputs have no steps to mask.

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
            **keras.Model.get_config(self),
            "num_features": self.num_features,
            "num_classes": self.num_classes,
            "units": self.units,
            "num_layers": self.num_layers,
            "dropout": self.dropout,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)
