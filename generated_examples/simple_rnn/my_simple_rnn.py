"""`MySimpleRNN`: a simple recurrent layer and its cell."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="examples")
class MySimpleRNNCell(keras.layers.SimpleRNNCell):
    """One step of `MySimpleRNN`, which documents the formula and the arguments.

    `keras.layers.RNN` draws the dropout masks once per sequence, as for all cells that
    derive from Keras's own.

    Args:
        units, ..., seed: As in `MySimpleRNN`, without the arguments of the loop.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, input_dim)`, with `input_dim` known, and a state, or a list of it, of
        shape `(batch, units)`.

    Output shape:
        `(batch, units)`, and the new states in the structure of the given ones.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> cell = MySimpleRNNCell(4)
    >>> h, states = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
    >>> [tuple(state.shape) for state in states]
    [(2, 4)]

    Reference:
        Drop-in for `keras.layers.SimpleRNNCell`.
    """

    def __init__(
        self,
        units,
        activation="tanh",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        **kwargs,
    ):
        if not is_int(units) or units <= 0:
            raise ValueError(
                f"`units` must be a positive int. Received: units={units!r}"
            )
        if not isinstance(dropout, numbers.Real) or not 0 <= dropout <= 1:
            raise ValueError(
                "`dropout` must be a float in the range [0, 1]. "
                f"Received: dropout={dropout!r}"
            )
        if (
            not isinstance(recurrent_dropout, numbers.Real)
            or not 0 <= recurrent_dropout <= 1
        ):
            raise ValueError(
                "`recurrent_dropout` must be a float in the range [0, 1]. "
                f"Received: recurrent_dropout={recurrent_dropout!r}"
            )
        super().__init__(
            int(units),
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=float(dropout),
            recurrent_dropout=float(recurrent_dropout),
            seed=seed,
            **kwargs,
        )

    def build(self, input_shape):
        input_dim = input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_dim, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, self.units),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
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

    def call(self, inputs, states, training=False):
        h = states[0] if keras.tree.is_nested(states) else states
        if training and self.dropout:
            inputs = ops.multiply(inputs, self.get_dropout_mask(inputs))
        if training and self.recurrent_dropout:
            h = ops.multiply(h, self.get_recurrent_dropout_mask(h))
        outputs = ops.add(
            ops.matmul(inputs, self.kernel), ops.matmul(h, self.recurrent_kernel)
        )
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        h = self.activation(outputs)
        return h, [h] if keras.tree.is_nested(states) else h

    def compute_output_shape(self, inputs_shape, states_shape):
        return (inputs_shape[0], self.units), states_shape


@keras.saving.register_keras_serializable(package="examples")
class MySimpleRNN(keras.layers.RNN):
    """Simple recurrent layer: for each step of a sequence,

        h = activation(inputs @ kernel + h @ recurrent_kernel + bias)

    `h` is the state, on the right before the step and on the left after it, and the
    output.

    Masked steps do not change the states, and repeat the previous output.

    Args:
        units: Positive int, size of the output's last axis.
        activation: Activation function or its name, `None` for the identity. Defaults
            to `"tanh"`.
        use_bias: Bool, whether to add a bias. Defaults to `True`.
        kernel_initializer: Initializer of `kernel`. Defaults to `"glorot_uniform"`.
        recurrent_initializer: Initializer of `recurrent_kernel`. Defaults to
            `"orthogonal"`.
        bias_initializer: Initializer of `bias`. Defaults to `"zeros"`.
        kernel_regularizer: Regularizer of `kernel`. Defaults to `None`.
        recurrent_regularizer: Regularizer of `recurrent_kernel`. Defaults to `None`.
        bias_regularizer: Regularizer of `bias`. Defaults to `None`.
        activity_regularizer: Regularizer of the output. Defaults to `None`.
        kernel_constraint: Constraint on `kernel`. Defaults to `None`.
        recurrent_constraint: Constraint on `recurrent_kernel`. Defaults to `None`.
        bias_constraint: Constraint on `bias`. Defaults to `None`.
        dropout: Float from 0 to 1, fraction of the inputs to drop in training, the same
            in all steps of a sequence. Defaults to `0.0`.
        recurrent_dropout: Float from 0 to 1, fraction of the state `h` to drop in the
            same way. Defaults to `0.0`.
        return_sequences: Bool, whether to return the outputs of all steps instead of
            the last one. Defaults to `False`.
        return_state: Bool, whether to also return the last states. Defaults to `False`.
        go_backwards: Bool, whether to process the steps in reverse. The outputs are in
            the order of processing. Defaults to `False`.
        stateful: Bool, whether to use the last states of a batch as the initial states
            of the next. The batch size must be known. Defaults to `False`.
        unroll: Bool, whether to unroll the loop over the steps. The number of steps
            must be known. Defaults to `False`.
        seed: Int, seed for the random draws, or `None` for a random seed. Defaults to
            `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, steps, input_dim)`, with `input_dim` known. `call` also accepts
        `initial_state`, a list of one state of shape `(batch, units)`, zeros by
        default.

    Output shape:
        `(batch, units)`, or `(batch, steps, units)` with `return_sequences`. With
        `return_state`, a tuple of that and `h` of shape `(batch, units)`.

    Raises:
        ValueError: If an argument is invalid, or the input does not have rank 3.

    Example:

    >>> layer = MySimpleRNN(4, return_state=True)
    >>> outputs, *states = layer(keras.ops.ones((2, 3, 5)))
    >>> tuple(outputs.shape)
    (2, 4)
    >>> [tuple(state.shape) for state in states]
    [(2, 4)]

    Reference:
        Drop-in for `keras.layers.SimpleRNN`.
    """

    def __init__(
        self,
        units,
        activation="tanh",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        seed=None,
        **kwargs,
    ):
        cell = MySimpleRNNCell(
            units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name="simple_rnn_cell",
        )
        super().__init__(
            cell,
            activity_regularizer=activity_regularizer,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            **kwargs,
        )
        self.units = cell.units
        self.activation = cell.activation
        self.use_bias = cell.use_bias
        self.kernel_initializer = cell.kernel_initializer
        self.recurrent_initializer = cell.recurrent_initializer
        self.bias_initializer = cell.bias_initializer
        self.kernel_regularizer = cell.kernel_regularizer
        self.recurrent_regularizer = cell.recurrent_regularizer
        self.bias_regularizer = cell.bias_regularizer
        self.kernel_constraint = cell.kernel_constraint
        self.recurrent_constraint = cell.recurrent_constraint
        self.bias_constraint = cell.bias_constraint
        self.dropout = cell.dropout
        self.recurrent_dropout = cell.recurrent_dropout
        self.seed = cell.seed
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def get_config(self):
        config = super().get_config()
        cell_config = config.pop("cell")["config"]
        return {
            **cell_config,
            **config,
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)
