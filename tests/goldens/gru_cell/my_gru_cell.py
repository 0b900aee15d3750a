"""`MyGRUCell`: a gated recurrent cell."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class MyGRUCell(keras.layers.GRUCell):
    """Gated recurrent cell: one step of a recurrent layer.

        z = recurrent_activation(inputs @ kernel[z] + h @ recurrent_kernel[z] + bias[z])
        r = recurrent_activation(inputs @ kernel[r] + h @ recurrent_kernel[r] + bias[r])
        g = activation(inputs @ kernel[g] + r * (h @ recurrent_kernel[g]) + bias[g])
        h = z * h + (1 - z) * g

    `h` is the state, on the right before the step and on the left after it, and the
    output. The update gate `z` controls how much of `h` is kept, the reset gate `r` how
    much of it enters the candidate `g`. With `reset_after` there are two biases, the
    second inside the product with `r`; without it there is one, and `g` uses
    `(r * h) @ recurrent_kernel[g]`.

    `keras.layers.RNN` turns it into a layer, and draws the dropout masks once per
    sequence, as for all cells that derive from Keras's own. If the cell is called
    directly, `reset_dropout_mask` and `reset_recurrent_dropout_mask` make it draw new
    ones.

    Args:
        units: Positive int, size of the output's last axis.
        activation: Activation function or its name, `None` for the identity. Defaults
            to `"tanh"`.
        recurrent_activation: Activation function of the gates or its name, `None` for
            the identity. Defaults to `"sigmoid"`.
        use_bias: Bool, whether to add a bias. Defaults to `True`.
        kernel_initializer: Initializer of `kernel`. Defaults to `"glorot_uniform"`.
        recurrent_initializer: Initializer of `recurrent_kernel`. Defaults to
            `"orthogonal"`.
        bias_initializer: Initializer of `bias`. Defaults to `"zeros"`.
        kernel_regularizer: Regularizer of `kernel`. Defaults to `None`.
        recurrent_regularizer: Regularizer of `recurrent_kernel`. Defaults to `None`.
        bias_regularizer: Regularizer of `bias`. Defaults to `None`.
        kernel_constraint: Constraint on `kernel`. Defaults to `None`.
        recurrent_constraint: Constraint on `recurrent_kernel`. Defaults to `None`.
        bias_constraint: Constraint on `bias`. Defaults to `None`.
        dropout: Float from 0 to 1, fraction of the inputs to drop in training, the same
            in all steps of a sequence. Defaults to `0.0`.
        recurrent_dropout: Float from 0 to 1, fraction of the state `h` to drop in the
            same way. Defaults to `0.0`.
        reset_after: Bool, whether to apply the reset gate after instead of before the
            product with `recurrent_kernel`. Defaults to `True`.
        seed: Int, seed for the random draws, or `None` for a random seed. Defaults to
            `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, input_dim)`, with `input_dim` known, and a state, or a list of it, of
        shape `(batch, units)`.

    Output shape:
        `(batch, units)`, and the new states in the structure of the given ones.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> cell = MyGRUCell(4)
    >>> h, states = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
    >>> [tuple(state.shape) for state in states]
    [(2, 4)]

    Reference:
        Drop-in for `keras.layers.GRUCell`.
    """

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
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
        reset_after=True,
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
            recurrent_activation=recurrent_activation,
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
            reset_after=reset_after,
            seed=seed,
            **kwargs,
        )

    def build(self, input_shape):
        input_dim = input_shape[-1]
        size = 3 * self.units
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
            self.bias = self.add_weight(
                name="bias",
                shape=(2, size) if self.reset_after else (size,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(self, inputs, states, training=False):
        h = states[0] if keras.tree.is_nested(states) else states
        masks = self.get_dropout_mask(inputs) if training else None
        h_masks = self.get_recurrent_dropout_mask(h) if training else None
        x = self._product(inputs, self.kernel, masks)
        if self.bias is not None:
            x = ops.add(x, self.bias[0] if self.reset_after else self.bias)
        x_z, x_r, x_g = ops.split(x, 3, axis=-1)
        if self.reset_after:
            products = self._product(h, self.recurrent_kernel, h_masks)
            if self.bias is not None:
                products = ops.add(products, self.bias[1])
            h_z, h_r, h_g = ops.split(products, 3, axis=-1)
        else:
            gates_kernel = self.recurrent_kernel[:, : 2 * self.units]
            products = self._product(h, gates_kernel, h_masks and h_masks[:2])
            h_z, h_r = ops.split(products, 2, axis=-1)
        z = self.recurrent_activation(ops.add(x_z, h_z))
        r = self.recurrent_activation(ops.add(x_r, h_r))
        if self.reset_after:
            h_g = ops.multiply(r, h_g)
        else:
            kept = h if h_masks is None else ops.multiply(h, h_masks[2])
            candidate_kernel = self.recurrent_kernel[:, 2 * self.units :]
            h_g = ops.matmul(ops.multiply(r, kept), candidate_kernel)
        g = self.activation(ops.add(x_g, h_g))
        h = z * h + (1 - z) * g
        return h, [h] if keras.tree.is_nested(states) else h

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

    def compute_output_shape(self, inputs_shape, states_shape):
        return (inputs_shape[0], self.units), states_shape
