"""`GRUForecaster`: a recurrent network of GRU layers."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(
    package="golden", name="GRUForecaster.OrthogonalInAnyDtype"
)
class OrthogonalInAnyDtype(keras.initializers.Orthogonal):
    """Orthogonal initializer in float32: JAX and Torch have no narrower QR."""

    def __call__(self, shape, dtype=None):
        values = super().__call__(shape, dtype="float32")
        return ops.cast(values, keras.backend.standardize_dtype(dtype))


@keras.saving.register_keras_serializable(package="golden")
class GRUForecaster(keras.Model):
    """Recurrent network: GRU layers over a sequence.

    Each layer processes the outputs of the previous one. The features are the final
    state of the last layer. Each layer is followed by dropout. Masked steps are
    skipped.

    Args:
        horizon: Positive int, number of steps to forecast.
        num_outputs: Positive int, number of series to forecast.
        units: Positive int, size of the state of each recurrent layer. Defaults to
            `64`.
        num_layers: Positive int, number of recurrent layers. Defaults to `1`.
        dropout: Float in `[0, 1)`, fraction of each recurrent layer's outputs to drop
            in training. Defaults to `0.0`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, steps, num_features)`.

    Output shape:
        `(batch, horizon, num_outputs)`, the next `horizon` steps.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = GRUForecaster(horizon=4, num_outputs=2, units=16)
    >>> tuple(model(keras.ops.ones((2, 20, 8))).shape)
    (2, 4, 2)

    Reference:
        [Cho et al., 2014](https://arxiv.org/abs/1406.1078)
    """

    def __init__(
        self, horizon, num_outputs, units=64, num_layers=1, dropout=0.0, **kwargs
    ):
        super().__init__(**kwargs)
        if not is_int(horizon) or horizon <= 0:
            raise ValueError(
                f"`horizon` must be a positive int. Received: horizon={horizon!r}"
            )
        if not is_int(num_outputs) or num_outputs <= 0:
            raise ValueError(
                "`num_outputs` must be a positive int. "
                f"Received: num_outputs={num_outputs!r}"
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
        self.horizon = horizon
        self.num_outputs = num_outputs
        self.units = units
        self.num_layers = num_layers
        self.dropout = float(dropout)
        self.recurrent_layers, self.dropout_layers = [], []
        for i in range(num_layers):
            recurrent = keras.layers.GRU(
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
            horizon * num_outputs, dtype=self.dtype_policy, name="head"
        )
        self.steps = keras.layers.Reshape(
            (horizon, num_outputs), dtype=self.dtype_policy, name="steps"
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
        return self.steps(self.head(x))

    def compute_mask(self, inputs, mask=None):
        del inputs, mask  # The outputs have no steps to mask.

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.horizon, self.num_outputs)

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
            "horizon": self.horizon,
            "num_outputs": self.num_outputs,
            "units": self.units,
            "num_layers": self.num_layers,
            "dropout": self.dropout,
        }
