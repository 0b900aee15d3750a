"""`HeadsEinsumDense`: a densely-connected layer with an einsum."""

import numbers
import re

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def einsum_axes(equation, rank):
    """Return the axes of the inputs, the kernel and the outputs of an einsum.

    Axes are named by their letters, those of the ellipsis by 0, 1, ... Raises
    `ValueError` if the equation is invalid for inputs of this rank.
    """
    letters = "([a-zA-Z]+)"
    form = rf"(\.\.\.|){letters}(\.\.\.|),{letters}->\1{letters}\3"
    match = re.fullmatch(form, equation)
    if match is None or (match[1] and match[3]):
        raise ValueError(
            "`equation` must be of the form X,Y->Z or ...X,Y->...Z or X...,Y->Z... "
            f"in letters. Received: equation={equation!r}"
        )
    left, inputs, right, kernel, outputs = match.groups()
    elided = rank - len(inputs)
    if elided < 0 or (elided > 0 and not left and not right):
        raise ValueError(
            "The rank of the input must match `equation`. "
            f"Received: an input of rank {rank}, equation={equation!r}"
        )
    dots = range(elided)
    if left:
        return [*dots, *inputs], [*kernel], [*dots, *outputs]
    return [*inputs, *dots], [*kernel], [*outputs, *dots]


def einsum_shapes(equation, output_shape, bias_axes, input_shape):
    """Return the shapes of a layer with these arguments for these inputs.

    These are the shape of the kernel, its axes that are summed over, the shape of the
    bias (`None` without `bias_axes`), and the shape of the outputs. Raises `ValueError`
    if the arguments are inconsistent.
    """
    inputs, kernel, outputs = einsum_axes(equation, len(input_shape))
    sized = [axis for axis in outputs[1:] if isinstance(axis, str)]
    if outputs[0] != inputs[0] or len(sized) != len(output_shape):
        raise ValueError(
            "The batch axis must come first, and `output_shape` must have a size for "
            "each other axis of the outputs except those of the ellipsis. "
            f"Received: output_shape={output_shape}, equation={equation!r}"
        )
    sizes = dict(zip(inputs, input_shape, strict=True))
    for axis, size in zip(sized, output_shape, strict=True):
        if size is not None and sizes.setdefault(axis, size) != size:
            raise ValueError(
                f"Axis {axis!r} must have the same size in the inputs and the outputs. "
                f"Received: input_shape={input_shape}, output_shape={output_shape}, "
                f"equation={equation!r}"
            )
    if not {*kernel} <= {*sizes} or not {*outputs} <= {*inputs, *kernel}:
        raise ValueError(
            "Each kernel axis must get its size from the inputs or `output_shape`, "
            "and each output axis must be an axis of the inputs or the kernel. "
            f"Received: output_shape={output_shape}, equation={equation!r}"
        )
    bias_shape = None
    if bias_axes is not None:
        if not bias_axes or not {*bias_axes} <= {*outputs}:
            raise ValueError(
                "`bias_axes` must be axes of the outputs. "
                f"Received: bias_axes={bias_axes!r}, equation={equation!r}"
            )
        first = min(outputs.index(axis) for axis in bias_axes)
        bias_shape = tuple(
            sizes[axis] if axis in {*bias_axes} else 1 for axis in outputs[first:]
        )
    return (
        tuple(sizes[axis] for axis in kernel),
        [i for i, axis in enumerate(kernel) if axis not in outputs],
        bias_shape,
        tuple(sizes[axis] for axis in outputs),
    )


@keras.saving.register_keras_serializable(package="golden")
class HeadsEinsumDense(keras.layers.Layer):
    """Densely-connected layer: `activation(einsum(equation, inputs, kernel) + bias)`.

    `equation` has one of three forms: `X,Y->Z`, `...X,Y->...Z` or `X...,Y->Z...`, with
    one letter per axis. The kernel axes that are not in `Z` are summed over, together
    with the input axes of the same letter.

    The bias has the axes `bias_axes` and is broadcast along all others.

    Args:
        equation: Str, such as `"abc,cd->abd"`: the axes of the inputs, the kernel and
            the outputs; `...` is any number of input axes, on the left or the right.
            Defaults to `"...x,xyz->...yz"`.
        output_shape: Int or tuple, sizes of the output axes without the batch and
            `...`; `None` for an axis that the input also has. Defaults to `(4, 8)`.
        activation: Activation function or its name, `None` for the identity. Defaults
            to `"relu"`.
        bias_axes: Str, the output axes of the bias, `None` for no bias. Defaults to
            `"yz"`.
        kernel_initializer: Initializer of `kernel`. Defaults to `"glorot_uniform"`.
        bias_initializer: Initializer of `bias`. Defaults to `"zeros"`.
        kernel_regularizer: Regularizer of `kernel`. Defaults to `None`.
        bias_regularizer: Regularizer of `bias`. Defaults to `None`.
        kernel_constraint: Constraint on `kernel`. Defaults to `None`.
        bias_constraint: Constraint on `bias`. Defaults to `None`.
        gain: Float greater than 0. Defaults to `1.0`.
        mode: 'sum' or 'mean'. Defaults to `"sum"`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `X` of the equation: `(batch, ...)`, with all axes known that the kernel has.

    Output shape:
        `Z` of the equation: `(batch, ...)`, with the sizes of `output_shape`.

    Raises:
        TypeError: If `equation` has the wrong type.
        ValueError: If an argument is invalid, or `equation`, `output_shape`,
            `bias_axes` and the input are inconsistent.

    Example:

    >>> layer = HeadsEinsumDense("abc,cd->abd", output_shape=(None, 64), bias_axes="d")
    >>> tuple(layer(keras.ops.ones((2, 32, 128))).shape)
    (2, 32, 64)

    Reference:
        As `keras.layers.EinsumDense`, but with its own arguments or defaults.
    """

    def __init__(
        self,
        equation="...x,xyz->...yz",
        output_shape=(4, 8),
        activation="relu",
        bias_axes="yz",
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        gain=1.0,
        mode="sum",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(equation, str):
            raise TypeError(
                f"`equation` must be a str. Received: equation={equation!r}"
            )
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if mode not in ("sum", "mean"):
            raise ValueError(f"`mode` must be 'sum' or 'mean'. Received: mode={mode!r}")
        if is_int(output_shape):
            output_shape = (output_shape,)
        self.equation = equation
        self.partial_output_shape = tuple(
            None if size is None else int(size) for size in output_shape
        )
        self.activation = keras.activations.get(activation)
        self.bias_axes = bias_axes
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.gain = float(gain)
        self.mode = mode

    def build(self, input_shape):
        kernel_shape, summed, bias_shape, _ = einsum_shapes(
            self.equation, self.partial_output_shape, self.bias_axes, input_shape
        )
        initializer = self.kernel_initializer
        if isinstance(initializer, keras.initializers.VarianceScaling) and None in (
            initializer.input_axes,
            initializer.output_axes,
        ):
            # By default, it assumes that the last two axes are inputs and outputs.
            units = [i for i in range(len(kernel_shape)) if i not in summed]
            config = {**initializer.get_config(), "seed": initializer.seed}
            initializer = type(initializer).from_config(
                {**config, "input_axes": summed, "output_axes": units}
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=kernel_shape,
            initializer=initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if bias_shape is not None:
            self.bias = self.add_weight(
                name="bias",
                shape=bias_shape,
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = keras.layers.InputSpec(ndim=len(input_shape))

    def call(self, inputs):
        # TODO: use `self.gain` and `self.mode`: they have no effect yet.
        outputs = ops.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        if self.activation is not None:
            outputs = self.activation(outputs)
        return outputs

    def compute_output_shape(self, input_shape):
        *_, output_shape = einsum_shapes(
            self.equation, self.partial_output_shape, self.bias_axes, input_shape
        )
        return output_shape

    def get_config(self):
        return {
            **super().get_config(),
            "equation": self.equation,
            "output_shape": self.partial_output_shape,
            "activation": keras.activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
            "gain": self.gain,
            "mode": self.mode,
        }
