"""`MyGatedFusion`: a sum of several inputs with learned gates."""

import functools

import keras
from keras import ops


def in_order(parts):
    """Return the items of a list, or the values of a dict by sorted keys, as a list.

    Raises `ValueError` for anything else.
    """
    if isinstance(parts, dict):
        return [parts[key] for key in sorted(parts)]
    if isinstance(parts, (list, tuple)):
        return list(parts)
    raise ValueError(
        f"The inputs must be a non-empty list or dict. Received: {parts!r}"
    )


def shapes_in_order(shapes):
    """Return the shapes of all inputs, in the order of `in_order`."""
    shapes = in_order(shapes)
    if not shapes or not all(isinstance(shape, (list, tuple)) for shape in shapes):
        raise ValueError(
            "The inputs must be a non-empty list or dict. "
            f"Received: input_shape={shapes}"
        )
    return shapes


def common_shape(shapes):
    """Return the common shape of all inputs.

    Unknown sizes match any size. Raises `ValueError` if the shapes differ.
    """
    known = [{*sizes} - {None} for sizes in zip(*shapes, strict=False)]
    if len({*map(len, shapes)}) > 1 or any(len(sizes) > 1 for sizes in known):
        raise ValueError(
            "The inputs must have the same shape. " f"Received: input_shape={shapes}"
        )
    return tuple(sizes.pop() if sizes else None for sizes in known)


@keras.saving.register_keras_serializable(package="examples")
class MyGatedFusion(keras.layers.Layer):
    """Sum of several inputs with learned gates: `gate_a * a + gate_b * b + ...`.

    `gate_a, gate_b, ... = split(sigmoid(concatenate([a, b, ...]) @ kernel + bias))`:
    each input has one gate per channel, which depends on all channels of all inputs at
    the same position.

    An element is masked if it is masked in all inputs.

    Args:
        use_bias: Bool, whether to add a bias. Defaults to `True`.
        kernel_initializer: Initializer of `kernel`. Defaults to `"glorot_uniform"`.
        bias_initializer: Initializer of `bias`. Defaults to `"zeros"`.
        kernel_regularizer: Regularizer of `kernel`. Defaults to `None`.
        bias_regularizer: Regularizer of `bias`. Defaults to `None`.
        kernel_constraint: Constraint on `kernel`. Defaults to `None`.
        bias_constraint: Constraint on `bias`. Defaults to `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        A list of equal shapes `(batch, ..., channels)`, or a dict of them, in the order
        of its sorted keys.

    Output shape:
        `(batch, ..., channels)`.

    Raises:
        ValueError: If an argument is invalid, or the inputs are not a list or dict, or
            have incompatible shapes.

    Example:

    >>> layer = MyGatedFusion()
    >>> a, b = keras.ops.ones((2, 3)), keras.ops.zeros((2, 3))
    >>> tuple(layer([a, b]).shape)
    (2, 3)

    Reference:
        Based on the gated multimodal unit of Arevalo et al., 2017,
        https://arxiv.org/abs/1702.01992
    """

    def __init__(
        self,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.supports_masking = True

    def build(self, input_shape):
        shapes = shapes_in_order(input_shape)
        size = len(shapes) * self.compute_output_shape(shapes)[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(size, size),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(size,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(self, inputs):
        inputs = in_order(inputs)
        gates = ops.matmul(ops.concatenate(inputs, axis=-1), self.kernel)
        if self.bias is not None:
            gates = ops.add(gates, self.bias)
        gates = ops.split(ops.sigmoid(gates), len(inputs), axis=-1)
        return sum(ops.multiply(gate, x) for gate, x in zip(gates, inputs, strict=True))

    def compute_mask(self, inputs, mask=None):
        if mask is None:
            return None
        inputs, masks = in_order(inputs), in_order(mask)
        if len(masks) != len(inputs):
            raise ValueError(
                "`mask` must have a mask or None for each of the "
                f"{len(inputs)} inputs. Received: mask={mask}"
            )
        if any(kept is None for kept in masks):
            return None
        return functools.reduce(ops.logical_or, masks)

    def compute_output_shape(self, input_shape):
        shapes = shapes_in_order(input_shape)
        return common_shape(shapes)

    def get_config(self):
        return {
            **super().get_config(),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }
