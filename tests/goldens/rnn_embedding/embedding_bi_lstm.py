"""`EmbeddingBiLSTM`: a bidirectional recurrent network of LSTM layers."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(
    package="golden", name="EmbeddingBiLSTM.UnitLength"
)
class UnitLength(keras.layers.Layer):
    """Scales the last axis of the inputs to length 1."""

    def call(self, inputs):
        # In float32, since squares easily overflow in float16. Zeros stay zeros and
        # have a finite gradient.
        x = ops.cast(inputs, keras.backend.result_type(self.compute_dtype, "float32"))
        squares = ops.sum(ops.square(x), axis=-1, keepdims=True)
        return ops.cast(x * ops.rsqrt(ops.maximum(squares, 1e-6)), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable(
    package="golden", name="EmbeddingBiLSTM.supervised_contrastive_loss"
)
def supervised_contrastive_loss(labels, embeddings, temperature=0.1):
    """Return the supervised contrastive loss of labeled embeddings.

    Args:
        labels: Ints of shape `(batch,)` or `(batch, 1)`.
        embeddings: Unit vectors of shape `(batch, dim)`.
        temperature: Positive float. Lower values put more weight on near embeddings.

    Returns:
        The loss of each sample, of shape `(batch,)`; 0 if no other has its label.

    Reference:
        [Khosla et al., 2020](https://arxiv.org/abs/2004.11362)
    """
    labels = ops.reshape(labels, (-1, 1))
    similarity = ops.matmul(embeddings, ops.transpose(embeddings)) / temperature
    itself = ops.eye(ops.shape(similarity)[0], dtype=similarity.dtype)
    positives = (
        ops.cast(ops.equal(labels, ops.transpose(labels)), similarity.dtype) - itself
    )
    others = ops.logsumexp(similarity - 1e4 * itself, axis=1, keepdims=True)
    log_likelihood = ops.sum(positives * (similarity - others), axis=1)
    return -log_likelihood / ops.maximum(ops.sum(positives, axis=1), 1)


@keras.saving.register_keras_serializable(
    package="golden", name="EmbeddingBiLSTM.OrthogonalInAnyDtype"
)
class OrthogonalInAnyDtype(keras.initializers.Orthogonal):
    """Orthogonal initializer in float32: JAX and Torch have no narrower QR."""

    def __call__(self, shape, dtype=None):
        values = super().__call__(shape, dtype="float32")
        return ops.cast(values, keras.backend.standardize_dtype(dtype))


@keras.saving.register_keras_serializable(package="golden")
class EmbeddingBiLSTM(keras.Model):
    """Recurrent network: bidirectional LSTM layers over a sequence.

    Each layer processes the outputs of the previous one in both directions, and
    concatenates the two states of each step. The features are the final states of the
    last layer. Each layer is followed by dropout. Masked steps are skipped.

    Args:
        embedding_dim: Positive int, size of the output vectors.
        units: Positive int, size of the state of each recurrent layer. Defaults to
            `64`.
        num_layers: Positive int, number of recurrent layers. Defaults to `1`.
        dropout: Float in `[0, 1)`, fraction of each recurrent layer's outputs to drop
            in training. Defaults to `0.0`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, steps, num_features)`.

    Output shape:
        `(batch, embedding_dim)`, unit vectors.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = EmbeddingBiLSTM(embedding_dim=16, units=16)
    >>> tuple(model(keras.ops.ones((2, 20, 8))).shape)
    (2, 16)

    Reference:
        [Hochreiter and Schmidhuber, 1997](https://doi.org/10.1162/neco.1997.9.8.1735)
    """

    def __init__(self, embedding_dim, units=64, num_layers=1, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        if not is_int(embedding_dim) or embedding_dim <= 0:
            raise ValueError(
                "`embedding_dim` must be a positive int. "
                f"Received: embedding_dim={embedding_dim!r}"
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
        self.embedding_dim = embedding_dim
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
            recurrent = keras.layers.Bidirectional(
                recurrent, dtype=self.dtype_policy, name=f"bidirectional_{i}"
            )
            drop = keras.layers.Dropout(
                dropout, dtype=self.dtype_policy, name=f"dropout_{i}"
            )
            self.recurrent_layers.append(recurrent)
            self.dropout_layers.append(drop)
        self.head = keras.layers.Dense(
            embedding_dim, dtype=self.dtype_policy, name="head"
        )
        self.unit_length = UnitLength(dtype=self.dtype_policy, name="unit_length")

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
        return self.unit_length(self.head(x))

    def compute_mask(self, inputs, mask=None):
        del inputs, mask  # The outputs have no steps to mask.

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.embedding_dim)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile the model with a suitable optimizer, loss and metrics.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate),
                "loss": supervised_contrastive_loss,
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "embedding_dim": self.embedding_dim,
            "units": self.units,
            "num_layers": self.num_layers,
            "dropout": self.dropout,
        }
