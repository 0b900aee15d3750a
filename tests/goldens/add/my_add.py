"""`MyAdd`: the sum of several inputs."""

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


@keras.saving.register_keras_serializable(package="golden")
class MyAdd(keras.layers.Layer):
    """Sum of several inputs: `a + b + ...`.

    Inputs of lower rank get axes of size 1 after the batch, and axes of size 1 are
    broadcast.

    An element is masked if it is masked in all inputs.

    Args:
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        A list of shapes `(batch, ...)` that can be added, or a dict of them.

    Output shape:
        `(batch, ...)`, with the size of the largest input along each axis.

    Raises:
        ValueError: If the inputs are not a list or dict, or have incompatible shapes.

    Example:

    >>> layer = MyAdd()
    >>> a, b = keras.ops.ones((2, 3)), keras.ops.zeros((2, 3))
    >>> tuple(layer([a, b]).shape)
    (2, 3)
    >>> tuple(layer({"text": a, "image": b}).shape)
    (2, 3)

    Reference:
        Drop-in for `keras.layers.Add`, without sparse inputs. The built-in does not
        accept a dict.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        self.compute_output_shape(input_shape)  # Raises for incompatible shapes.

    def call(self, inputs):
        inputs = in_order(inputs)
        rank = max(len(x.shape) for x in inputs)
        aligned = []
        for x in inputs:
            for _ in range(rank - len(x.shape)):
                x = ops.expand_dims(x, 1)
            aligned.append(x)
        return functools.reduce(ops.add, aligned)

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
        rank = max(map(len, shapes))
        aligned = [(s[0], *[1] * (rank - len(s)), *s[1:]) for s in shapes]
        output_shape = []
        for axis, sizes in enumerate(zip(*aligned, strict=True)):
            known = {*sizes} - ({None} if axis == 0 else {None, 1})
            if len(known) > 1:
                raise ValueError(
                    f"The inputs cannot be added. Received: input_shape={input_shape}"
                )
            unknown = None if None in sizes else 1
            output_shape.append(known.pop() if known else unknown)
        return tuple(output_shape)

    def get_config(self):
        return super().get_config()
