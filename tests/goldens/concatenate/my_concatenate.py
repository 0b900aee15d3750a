"""`MyConcatenate`: the concatenation of several inputs."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


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


def common_shape(shapes, axis):
    """Return the common shape of all inputs, with `None` along `axis`.

    Unknown sizes match any size. Raises `ValueError` if the shapes differ.
    """
    known = [{*sizes} - {None} for sizes in zip(*shapes, strict=False)]
    if not -len(known) <= axis < len(known):
        raise ValueError(
            "`axis` must be an axis of the inputs. "
            f"Received: axis={axis}, input_shape={shapes}"
        )
    known[axis] = set()
    if len({*map(len, shapes)}) > 1 or any(len(sizes) > 1 for sizes in known):
        raise ValueError(
            "The inputs must have the same shape except along `axis`. "
            f"Received: input_shape={shapes}"
        )
    return tuple(sizes.pop() if sizes else None for sizes in known)


@keras.saving.register_keras_serializable(package="golden")
class MyConcatenate(keras.layers.Layer):
    """Concatenation of several inputs along an axis: `concatenate([a, b, ...], axis)`.

    An element is masked if it is masked in its input.

    Args:
        axis: Int, the axis to concatenate along. Defaults to `-1`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        A list of shapes `(batch, ...)` that differ only along `axis`, or a dict of
        them, in the order of its sorted keys.

    Output shape:
        The shape of the inputs, with the sum of all sizes along `axis`.

    Raises:
        TypeError: If `axis` has the wrong type.
        ValueError: If the inputs are not a list or dict, or have incompatible shapes.

    Example:

    >>> layer = MyConcatenate()
    >>> a, b = keras.ops.ones((2, 3)), keras.ops.zeros((2, 5))
    >>> tuple(layer([a, b]).shape)
    (2, 8)
    >>> tuple(layer({"text": a, "image": b}).shape)
    (2, 8)

    Reference:
        Drop-in for `keras.layers.Concatenate`, without sparse inputs. The built-in does
        not accept a dict.
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        if not is_int(axis):
            raise TypeError(f"`axis` must be an int. Received: axis={axis!r}")
        self.axis = int(axis)
        self.supports_masking = True

    def build(self, input_shape):
        self.compute_output_shape(input_shape)  # Raises for incompatible shapes.

    def call(self, inputs):
        return ops.concatenate(in_order(inputs), axis=self.axis)

    def compute_mask(self, inputs, mask=None):
        if mask is None:
            return None
        inputs, masks = in_order(inputs), in_order(mask)
        if len(masks) != len(inputs):
            raise ValueError(
                "`mask` must have a mask or None for each of the "
                f"{len(inputs)} inputs. Received: mask={mask}"
            )
        if all(kept is None for kept in masks):
            return None
        full_masks = []
        for x, kept in zip(inputs, masks, strict=True):
            if kept is None:
                kept = ops.ones_like(x, dtype="bool")
            elif len(kept.shape) < len(x.shape):
                new_axes = tuple(range(len(kept.shape), len(x.shape)))
                kept = ops.expand_dims(kept, new_axes)
                kept = ops.logical_and(kept, ops.ones_like(x, dtype="bool"))
            full_masks.append(kept)
        return ops.any(ops.concatenate(full_masks, axis=self.axis), axis=-1)

    def compute_output_shape(self, input_shape):
        shapes = shapes_in_order(input_shape)
        output_shape = list(common_shape(shapes, self.axis))
        sizes = [shape[self.axis] for shape in shapes]
        output_shape[self.axis] = None if None in sizes else sum(sizes)
        return tuple(output_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
        }
