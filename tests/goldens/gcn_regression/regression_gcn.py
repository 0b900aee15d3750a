"""`RegressionGCN`: a graph convolutional network."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(
    package="golden", name="RegressionGCN.GraphConvolution"
)
class GraphConvolution(keras.layers.Layer):
    """Dense layer on the nodes of graphs, averaged over the neighbors of each node."""

    def __init__(self, units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        nodes_shape, _ = input_shape
        self.kernel = self.add_weight(
            name="kernel", shape=(nodes_shape[-1], self.units)
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.units,), initializer="zeros"
        )

    def call(self, inputs, mask=None):
        nodes, adjacency = inputs
        adjacency = ops.cast(adjacency, self.compute_dtype)
        if mask is not None and mask[0] is not None:
            seen = ops.cast(ops.expand_dims(mask[0], 1), self.compute_dtype)
            adjacency = adjacency * seen
        scale = ops.rsqrt(1 + ops.sum(adjacency, axis=-1, keepdims=True))
        # The second term adds the self-loops, without an identity matrix.
        x = scale * ops.matmul(nodes, self.kernel)
        x = scale * (ops.matmul(adjacency, x) + x)
        return self.activation(ops.add(x, self.bias))

    def compute_mask(self, inputs, mask=None):
        del inputs  # Only the mask of the nodes is passed on.
        return None if mask is None else mask[0]

    def compute_output_shape(self, input_shape):
        nodes_shape, _ = input_shape
        return (*nodes_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
        }


@keras.saving.register_keras_serializable(package="golden")
class RegressionGCN(keras.Model):
    """Graph convolutional network: each layer averages over a node's neighbors.

    Dropout is applied before each convolution, and `activation` after each but the
    last. A convolution adds self-loops, and normalizes each edge by the degrees of its
    two nodes::

        degree[i] = 1 + sum over j of A[i, j]
        averaged(x)[i] = x[i] / degree[i]
            + sum over j of A[i, j] * x[j] / sqrt(degree[i] * degree[j])
        convolution(x) = averaged(x @ kernel) + bias

    The adjacency matrix `A` is symmetric and non-negative, without self-loops. Masked
    nodes do not count as neighbors. If only some nodes have labels, set `sample_weight`
    to 0 for the others.

    Args:
        num_outputs: Positive int, number of values to predict for each node.
        hidden_units: Tuple of positive ints, units of each graph convolution before the
            last. Defaults to `(16,)`.
        activation: Activation function of all convolutions but the last, or its name,
            `None` for the identity. Defaults to `"relu"`.
        dropout: Float in `[0, 1)`, fraction of each convolution's inputs to drop in
            training. Defaults to `0.5`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        A list of the nodes, `(batch, nodes, num_features)`, and the adjacency matrices,
        `(batch, nodes, nodes)`, of a batch of graphs.

    Output shape:
        `(batch, nodes, num_outputs)`.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = RegressionGCN(num_outputs=3)
    >>> nodes = keras.ops.ones((2, 3, 8))
    >>> adjacency = keras.ops.array([[[0.0, 1, 0], [1, 0, 1], [0, 1, 0]]] * 2)
    >>> tuple(model([nodes, adjacency]).shape)
    (2, 3, 3)

    Reference:
        [Kipf and Welling, 2016](https://arxiv.org/abs/1609.02907)
    """

    def __init__(
        self, num_outputs, hidden_units=(16,), activation="relu", dropout=0.5, **kwargs
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
        self.convs = [
            GraphConvolution(
                units, activation, dtype=self.dtype_policy, name=f"conv_{i}"
            )
            for i, units in enumerate(hidden_units)
        ]
        self.head = GraphConvolution(num_outputs, dtype=self.dtype_policy, name="head")
        self.drops = [
            keras.layers.Dropout(dropout, dtype=self.dtype_policy, name=f"dropout_{i}")
            for i in range(len(hidden_units) + 1)
        ]

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call([keras.Input(batch_shape=shape) for shape in input_shape])

    def call(self, inputs, mask=None, training=None):
        x, adjacency = inputs
        for drop, conv in zip(self.drops, [*self.convs, self.head], strict=True):
            x = conv([drop(x, training=training), adjacency], mask=mask)
        return x

    def compute_mask(self, inputs, mask=None):
        del inputs  # Only the mask of the nodes is passed on.
        return None if mask is None else mask[0]

    def compute_output_shape(self, input_shape):
        nodes_shape, _ = input_shape
        return (*nodes_shape[:-1], self.num_outputs)

    def compile_for_training(self, learning_rate=1e-2, **kwargs):
        """Compile the model with a suitable optimizer, loss and metrics.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate),
                # The weighted mean over the nodes.
                "loss": keras.losses.MeanSquaredError(
                    reduction="mean_with_sample_weight"
                ),
                "weighted_metrics": ["mae"],
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
