"""`FancyLSTM`: a long short-term memory layer and its cell."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class FancyLSTMCell(keras.layers.LSTMCell):
    """One step of `FancyLSTM`, which documents the formula and the arguments.

    `keras.layers.RNN` draws the dropout masks once per sequence, as for all cells that
    derive from Keras's own.

    Args:
        units, ..., seed: As in `FancyLSTM`, without the arguments of the loop.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, input_dim)`, with `input_dim` known, and a list of two states of
        shape `(batch, units)`.

    Output shape:
        `(batch, units)`, and the new states in the structure of the given ones.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> cell = FancyLSTMCell(4)
    >>> h, states = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
    >>> [tuple(state.shape) for state in states]
    [(2, 4), (2, 4)]

    Reference:
        As `keras.layers.LSTMCell`, but with its own arguments or defaults.
    """

    def __init__(
        self,
        units=32,
        activation="relu",
        recurrent_activation="sigmoid",
        use_bias=False,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.1,
        recurrent_dropout=0.0,
        seed=7,
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
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
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
        size = 4 * self.units
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_dim, size),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, size),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = None
        if self.use_bias:
            initializer = self.bias_initializer
            if self.unit_forget_bias:
                initializer = self._open_forget_gate
            self.bias = self.add_weight(
                name="bias",
                shape=(size,),
                initializer=initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(self, inputs, states, training=False):
        h, c = states
        masks = self.get_dropout_mask(inputs) if training else None
        h_masks = self.get_recurrent_dropout_mask(h) if training else None
        outputs = ops.add(
            self._product(inputs, self.kernel, masks),
            self._product(h, self.recurrent_kernel, h_masks),
        )
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        i, f, g, o = ops.split(outputs, 4, axis=-1)
        i, f, o = (self.recurrent_activation(gate) for gate in (i, f, o))
        c = f * c + i * self.activation(g)
        h = o * self.activation(c)
        return h, [h, c]

    def _product(self, x, kernel, masks):
        """Return `x @ kernel`, with `x` multiplied by the mask of each gate."""
        if masks is None:
            return ops.matmul(x, kernel)
        if not isinstance(masks, list):  # One mask for all gates.
            return ops.matmul(ops.multiply(x, masks), kernel)
        kernels = ops.split(kernel, len(masks), axis=-1)
        products = [
            ops.matmul(ops.multiply(x, mask), part)
            for mask, part in zip(masks, kernels, strict=True)
        ]
        return ops.concatenate(products, axis=-1)

    def _open_forget_gate(self, shape, dtype=None):
        """Initialize the bias of the forget gate to 1, so that `c` is kept at first."""
        units = shape[0] // 4
        start, ones = self.bias_initializer, keras.initializers.Ones()
        return ops.concatenate(
            [
                start((units,), dtype=dtype),
                ones((units,), dtype=dtype),
                start((2 * units,), dtype=dtype),
            ]
        )

    def compute_output_shape(self, inputs_shape, states_shape):
        return (inputs_shape[0], self.units), states_shape


@keras.saving.register_keras_serializable(package="golden")
class FancyLSTM(keras.layers.RNN):
    """Long short-term memory layer: for each step of a sequence,

        i, f, g, o = split(inputs @ kernel + h @ recurrent_kernel + bias, 4)
        c = recurrent_activation(f) * c + recurrent_activation(i) * activation(g)
        h = recurrent_activation(o) * activation(c)

    `h` and `c` are the states, on the right before the step and on the left after it;
    `h` is also the output. `i`, `f` and `o` are the input, forget and output gates: `c`
    is carried from step to step and decays only through `f`, not through products with
    weights.

    Masked steps do not change the states, and repeat the previous output.

    Args:
        units: Positive int, size of the output's last axis. Defaults to `32`.
        activation: Activation function or its name, `None` for the identity. Defaults
            to `"relu"`.
        recurrent_activation: Activation function of the gates or its name, `None` for
            the identity. Defaults to `"sigmoid"`.
        use_bias: Bool, whether to add a bias. Defaults to `False`.
        kernel_initializer: Initializer of `kernel`. Defaults to `"glorot_uniform"`.
        recurrent_initializer: Initializer of `recurrent_kernel`. Defaults to
            `"orthogonal"`.
        bias_initializer: Initializer of `bias`. Defaults to `"zeros"`.
        unit_forget_bias: Bool, whether to initialize the bias of the forget gate to 1.
            Defaults to `True`.
        kernel_regularizer: Regularizer of `kernel`. Defaults to `None`.
        recurrent_regularizer: Regularizer of `recurrent_kernel`. Defaults to `None`.
        bias_regularizer: Regularizer of `bias`. Defaults to `None`.
        activity_regularizer: Regularizer of the output. Defaults to `None`.
        kernel_constraint: Constraint on `kernel`. Defaults to `None`.
        recurrent_constraint: Constraint on `recurrent_kernel`. Defaults to `None`.
        bias_constraint: Constraint on `bias`. Defaults to `None`.
        dropout: Float from 0 to 1, fraction of the inputs to drop in training, the same
            in all steps of a sequence. Defaults to `0.1`.
        recurrent_dropout: Float from 0 to 1, fraction of the state `h` to drop in the
            same way. Defaults to `0.0`.
        seed: Int, seed for the random draws, or `None` for a random seed. Defaults to
            `7`.
        return_sequences: Bool, whether to return the outputs of all steps instead of
            the last one. Defaults to `True`.
        return_state: Bool, whether to also return the last states. Defaults to `False`.
        go_backwards: Bool, whether to process the steps in reverse. The outputs are in
            the order of processing. Defaults to `False`.
        stateful: Bool, whether to use the last states of a batch as the initial states
            of the next. The batch size must be known. Defaults to `False`.
        unroll: Bool, whether to unroll the loop over the steps. The number of steps
            must be known. Defaults to `False`.
        gain: Float greater than 0. Defaults to `1.0`.
        mode: 'sum' or 'mean'. Defaults to `"sum"`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, steps, input_dim)`, with `input_dim` known. `call` also accepts
        `initial_state`, a list of two states of shape `(batch, units)`, zeros by
        default.

    Output shape:
        `(batch, units)`, or `(batch, steps, units)` with `return_sequences`. With
        `return_state`, a tuple of that and `h` and `c` of shape `(batch, units)`.

    Raises:
        ValueError: If an argument is invalid, or the input does not have rank 3.

    Example:

    >>> layer = FancyLSTM(4, return_state=True, return_sequences=False)
    >>> outputs, *states = layer(keras.ops.ones((2, 3, 5)))
    >>> tuple(outputs.shape)
    (2, 4)
    >>> [tuple(state.shape) for state in states]
    [(2, 4), (2, 4)]

    Reference:
        As `keras.layers.LSTM`, but with its own arguments or defaults.

        [Hochreiter and Schmidhuber, 1997](https://doi.org/10.1162/neco.1997.9.8.1735)
    """

    def __init__(
        self,
        units=32,
        activation="relu",
        recurrent_activation="sigmoid",
        use_bias=False,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.1,
        recurrent_dropout=0.0,
        seed=7,
        return_sequences=True,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        gain=1.0,
        mode="sum",
        **kwargs,
    ):
        cell = FancyLSTMCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
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
            name="lstm_cell",
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
        self.recurrent_activation = cell.recurrent_activation
        self.use_bias = cell.use_bias
        self.kernel_initializer = cell.kernel_initializer
        self.recurrent_initializer = cell.recurrent_initializer
        self.bias_initializer = cell.bias_initializer
        self.unit_forget_bias = cell.unit_forget_bias
        self.kernel_regularizer = cell.kernel_regularizer
        self.recurrent_regularizer = cell.recurrent_regularizer
        self.bias_regularizer = cell.bias_regularizer
        self.kernel_constraint = cell.kernel_constraint
        self.recurrent_constraint = cell.recurrent_constraint
        self.bias_constraint = cell.bias_constraint
        self.dropout = cell.dropout
        self.recurrent_dropout = cell.recurrent_dropout
        self.seed = cell.seed
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if mode not in ("sum", "mean"):
            raise ValueError(f"`mode` must be 'sum' or 'mean'. Received: mode={mode!r}")
        self.gain = float(gain)
        self.mode = mode
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def call(self, sequences, initial_state=None, mask=None, training=False):
        # TODO: use `self.gain` and `self.mode`: they have no effect yet.
        return super().call(sequences, initial_state, mask, training)

    def get_config(self):
        config = super().get_config()
        cell_config = config.pop("cell")["config"]
        return {
            **cell_config,
            **config,
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
            "gain": self.gain,
            "mode": self.mode,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)
