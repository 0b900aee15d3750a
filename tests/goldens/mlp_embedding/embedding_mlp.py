"""`EmbeddingMLP`: a multi-layer perceptron."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(
    package="golden", name="EmbeddingMLP.UnitLength"
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
    package="golden", name="EmbeddingMLP.supervised_contrastive_loss"
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


@keras.saving.register_keras_serializable(package="golden")
class EmbeddingMLP(keras.Model):
    """Multi-layer perceptron: a stack of dense layers.

    Each hidden layer is `dropout(activation(x @ kernel + bias))`.

    Args:
        embedding_dim: Positive int, size of the output vectors.
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
        `(batch, embedding_dim)`, unit vectors.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = EmbeddingMLP(embedding_dim=16, hidden_units=(16, 8))
    >>> tuple(model(keras.ops.ones((2, 30))).shape)
    (2, 16)

    Reference:
        [Rumelhart et al., 1986](https://doi.org/10.1038/323533a0)
    """

    def __init__(
        self,
        embedding_dim,
        hidden_units=(64, 64),
        activation="relu",
        dropout=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(embedding_dim) or embedding_dim <= 0:
            raise ValueError(
                "`embedding_dim` must be a positive int. "
                f"Received: embedding_dim={embedding_dim!r}"
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
        self.embedding_dim = embedding_dim
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
            embedding_dim, dtype=self.dtype_policy, name="head"
        )
        self.unit_length = UnitLength(dtype=self.dtype_policy, name="unit_length")

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(keras.Input(batch_shape=input_shape))

    def call(self, inputs, training=None):
        x = inputs
        for layer in self.hidden_layers:
            x = layer(x, training=training)
        return self.unit_length(self.head(x))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.embedding_dim)

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
            "hidden_units": self.hidden_units,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
        }
