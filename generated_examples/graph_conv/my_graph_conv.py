"""`MyGraphConv`: a graph convolution."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="examples")
class MyGraphConv(keras.layers.Layer):
    """Graph convolution: `activation(averaged(nodes @ kernel) + bias)`.

    Each node gets a weighted sum over itself and its neighbors, given by the adjacency
    matrix `A` and the degree of each node, including itself::

        degree[i] = 1 + sum over j of A[i, j]
        averaged(x)[i] = x[i] / degree[i]
            + sum over j of A[i, j] * x[j] / sqrt(degree[i] * degree[j])

    `A` is symmetric and non-negative, without self-loops, which the layer adds. Masked
    nodes are not neighbors of any node.

    Args:
        units: Positive int, size of the output's last axis.
        activation: Activation function or its name, `None` for the identity. Defaults
            to `None`.
        use_bias: Bool, whether to add a bias. Defaults to `True`.
        kernel_initializer: Initializer of `kernel`. Defaults to `"glorot_uniform"`.
        bias_initializer: Initializer of `bias`. Defaults to `"zeros"`.
        kernel_regularizer: Regularizer of `kernel`. Defaults to `None`.
        bias_regularizer: Regularizer of `bias`. Defaults to `None`.
        activity_regularizer: Regularizer of the output. Defaults to `None`.
        kernel_constraint: Constraint on `kernel`. Defaults to `None`.
        bias_constraint: Constraint on `bias`. Defaults to `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        A list of the nodes, `(batch, nodes, channels)`, with `channels` known, and the
        adjacency matrices, `(batch, nodes, nodes)`, of any dtype.

    Output shape:
        `(batch, nodes, units)`.

    Raises:
        ValueError: If an argument is invalid, the inputs are not two tensors of rank 3,
            or `channels` is unknown or differs from the one the layer was built with.

    Example:

    >>> layer = MyGraphConv(4, activation="relu")
    >>> nodes = keras.ops.ones((2, 3, 8))
    >>> adjacency = keras.ops.array([[[0.0, 1, 0], [1, 0, 1], [0, 1, 0]]] * 2)
    >>> tuple(layer([nodes, adjacency]).shape)
    (2, 3, 4)

    Reference:
        [Kipf and Welling, 2017](https://arxiv.org/abs/1609.02907)
    """

    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not is_int(units) or units <= 0:
            raise ValueError(
                f"`units` must be a positive int. Received: units={units!r}"
            )
        self.units = int(units)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.input_spec = [
            keras.layers.InputSpec(ndim=3),
            keras.layers.InputSpec(ndim=3),
        ]
        self.supports_masking = True

    def build(self, input_shape):
        (*_, channels), _ = input_shape
        self.kernel = self.add_weight(
            name="kernel",
            shape=(channels, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = [
            keras.layers.InputSpec(ndim=3, axes={-1: channels}),
            keras.layers.InputSpec(ndim=3),
        ]

    def call(self, inputs, mask=None):
        nodes, adjacency = inputs
        adjacency = ops.cast(adjacency, self.compute_dtype)
        nodes_mask = None if mask is None else mask[0]
        if nodes_mask is not None:
            neighbors = ops.expand_dims(ops.cast(nodes_mask, "bool"), 1)
            adjacency = ops.where(neighbors, adjacency, ops.zeros_like(adjacency))
        degree = 1 + ops.sum(adjacency, axis=-1, keepdims=True)
        scale = ops.rsqrt(degree)
        # The second term is the self-loops, without an identity matrix.
        outputs = scale * ops.matmul(nodes, self.kernel)
        outputs = scale * (ops.matmul(adjacency, outputs) + outputs)
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        return self.activation(outputs)

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
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }
