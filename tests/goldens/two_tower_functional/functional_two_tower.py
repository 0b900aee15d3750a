"""`FunctionalTwoTower`: a two-tower model for recommendation and retrieval."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(
    package="golden", name="FunctionalTwoTower.Tower"
)
class Tower(keras.layers.Layer):
    """Multi-layer perceptron that outputs unit vectors."""

    def __init__(
        self, hidden_units, embedding_dim, activation="relu", dropout=0.0, **kwargs
    ):
        super().__init__(**kwargs)
        self.hidden_units = tuple(hidden_units)
        self.embedding_dim = embedding_dim
        self.activation = keras.activations.get(activation)
        self.dropout = dropout
        self.hidden_layers = []
        for i, units in enumerate(self.hidden_units):
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
        self.projection = keras.layers.Dense(
            embedding_dim, dtype=self.dtype_policy, name="projection"
        )

    def build(self, input_shape):
        for layer in [*self.hidden_layers, self.projection]:
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def call(self, inputs, training=None):
        x = inputs
        for layer in self.hidden_layers:
            x = layer(x, training=training)
        # In float32, since squares easily overflow in float16. Zeros stay zeros and
        # have a finite gradient.
        x = ops.cast(
            self.projection(x), keras.backend.result_type(self.compute_dtype, "float32")
        )
        squares = ops.sum(ops.square(x), axis=-1, keepdims=True)
        return ops.cast(x * ops.rsqrt(ops.maximum(squares, 1e-6)), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.embedding_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_units": self.hidden_units,
            "embedding_dim": self.embedding_dim,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
        }


@keras.saving.register_keras_serializable(package="golden")
class FunctionalTwoTower(keras.Model):
    """Two-tower model: maps queries and items to vectors that are close if they match.

    Each tower is a multi-layer perceptron that outputs unit vectors, and the score of
    an item for a query is their dot product. The vectors of all items can be computed
    in advance: `query_tower` and `item_tower` are layers that can be called separately.

    Each sample is a query with a matching item. The loss is the cross-entropy of the
    query's own item among the items in the batch, with the scores divided by
    `temperature` as logits. The targets of `fit` are ids of the items, so that the same
    item in another sample does not count as wrong; without targets, all items in a
    batch count as different. The paper's correction for frequent items is omitted.

    Args:
        num_query_features: Positive int, size of the last axis of the queries.
        num_item_features: Positive int, size of the last axis of the items.
        hidden_units: Tuple of positive ints, units of each hidden layer of a tower.
            Defaults to `(128, 64)`.
        embedding_dim: Positive int, size of the towers' output vectors. Defaults to
            `32`.
        activation: Activation function of the hidden layers or its name, `None` for the
            identity. Defaults to `"relu"`.
        dropout: Float in `[0, 1)`, fraction of the hidden units to drop in training.
            Defaults to `0.0`.
        temperature: Positive float, divisor of the scores in the loss. Lower values put
            more weight on the hardest wrong items. Defaults to `0.1`.
        dtype: Dtype or dtype policy of all layers. Defaults to Keras's global policy.
        name: String, name of the model. Defaults to a name derived from the class.
        trainable: Bool, whether the weights are trainable. Defaults to `True`.

    Input shape:
        A dict: `"query"` of shape `(batch, num_query_features)`, `"item"` of shape
        `(batch, num_item_features)`.

    Output shape:
        A dict: `"query"` and `"item"`, each of shape `(batch, embedding_dim)`.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = FunctionalTwoTower(
    ...     num_query_features=6, num_item_features=4, embedding_dim=16,
    ...     hidden_units=(16,)
    ... )
    >>> inputs = {"query": keras.ops.ones((2, 6)), "item": keras.ops.ones((2, 4))}
    >>> {name: tuple(vectors.shape) for name, vectors in model(inputs).items()}
    {'item': (2, 16), 'query': (2, 16)}

    Reference:
        [Yi et al., 2019](https://doi.org/10.1145/3298689.3346996)
    """

    def __init__(
        self,
        num_query_features,
        num_item_features,
        hidden_units=(128, 64),
        embedding_dim=32,
        activation="relu",
        dropout=0.0,
        temperature=0.1,
        dtype=None,
        name=None,
        trainable=True,
    ):
        if not is_int(num_query_features) or num_query_features <= 0:
            raise ValueError(
                "`num_query_features` must be a positive int. "
                f"Received: num_query_features={num_query_features!r}"
            )
        if not is_int(num_item_features) or num_item_features <= 0:
            raise ValueError(
                "`num_item_features` must be a positive int. "
                f"Received: num_item_features={num_item_features!r}"
            )
        if not isinstance(hidden_units, (list, tuple)) or not all(
            is_int(item) and item > 0 for item in hidden_units
        ):
            raise ValueError(
                "`hidden_units` must be a tuple of positive ints. "
                f"Received: hidden_units={hidden_units!r}"
            )
        if not is_int(embedding_dim) or embedding_dim <= 0:
            raise ValueError(
                "`embedding_dim` must be a positive int. "
                f"Received: embedding_dim={embedding_dim!r}"
            )
        if not isinstance(dropout, numbers.Real) or not 0 <= dropout < 1:
            raise ValueError(
                "`dropout` must be a float in the range [0, 1). "
                f"Received: dropout={dropout!r}"
            )
        if not isinstance(temperature, numbers.Real) or not temperature > 0:
            raise ValueError(
                "`temperature` must be a float greater than 0. "
                f"Received: temperature={temperature!r}"
            )
        item_tower = Tower(
            hidden_units,
            embedding_dim,
            activation,
            dropout,
            dtype=dtype,
            name="item_tower",
        )
        query_tower = Tower(
            hidden_units,
            embedding_dim,
            activation,
            dropout,
            dtype=dtype,
            name="query_tower",
        )
        inputs = {
            "query": keras.Input((num_query_features,), name="query"),
            "item": keras.Input((num_item_features,), name="item"),
        }
        outputs = {
            "item": item_tower(inputs["item"]),
            "query": query_tower(inputs["query"]),
        }
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.num_query_features = num_query_features
        self.num_item_features = num_item_features
        self.hidden_units = tuple(hidden_units)
        self.embedding_dim = embedding_dim
        self.activation = keras.activations.get(activation)
        self.dropout = float(dropout)
        self.temperature = float(temperature)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        # In float32, since mixed precision cannot tell close scores apart.
        query, item = (ops.cast(y_pred[name], "float32") for name in ("query", "item"))
        scores = ops.matmul(query, ops.transpose(item)) / self.temperature
        own = ops.eye(ops.shape(scores)[0])
        if y is not None:
            ids = ops.reshape(y, (-1, 1))
            same = ops.cast(ops.equal(ids, ops.transpose(ids)), "float32")
            # The same item in another row is not a wrong answer, so it is excluded.
            scores = scores - 1e9 * (same - own)
        return super().compute_loss(x, own, scores, sample_weight, training)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile the model with Adam and the cross-entropy over the items in a batch.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate),
                "loss": keras.losses.CategoricalCrossentropy(from_logits=True),
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "num_query_features": self.num_query_features,
            "num_item_features": self.num_item_features,
            "hidden_units": self.hidden_units,
            "embedding_dim": self.embedding_dim,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "temperature": self.temperature,
        }
