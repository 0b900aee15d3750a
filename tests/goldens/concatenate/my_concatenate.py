"""`MyConcatenate`: several inputs put together."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, of Python or NumPy, and not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def in_order(parts):
    """Return the parts of a list, or those of a dict by its sorted keys, as a list.

    Raises `ValueError` if they are in neither.
    """
    if isinstance(parts, dict):
        return [parts[key] for key in sorted(parts)]
    if isinstance(parts, (list, tuple)):
        return list(parts)
    raise ValueError(f"The inputs must be in a list or dict. Received: {parts!r}")


def shapes_in_order(shapes):
    """Return the shapes of all inputs, as `in_order` does."""
    shapes = in_order(shapes)
    if not shapes or not all(isinstance(shape, (list, tuple)) for shape in shapes):
        raise ValueError(
            "The inputs must be in a list or dict, and one at least. "
            f"Received: input_shape={shapes}"
        )
    return shapes


def common_shape(shapes, but):
    """Return the shape that all inputs have, as far as it is known, `None` along `but`.

    Raises `ValueError` if they have none.
    """
    known = [{*sizes} - {None} for sizes in zip(*shapes, strict=False)]
    if not -len(known) <= but < len(known):
        raise ValueError(
            "`axis` must be an axis of the inputs. "
            f"Received: axis={but}, input_shape={shapes}"
        )
    known[but] = set()
    if len({*map(len, shapes)}) > 1 or any(len(sizes) > 1 for sizes in known):
        raise ValueError(
            "The inputs must have the same shape but along `axis`. "
            f"Received: input_shape={shapes}"
        )
    return tuple(sizes.pop() if sizes else None for sizes in known)


@keras.saving.register_keras_serializable(package="golden")
class MyConcatenate(keras.layers.Layer):
    """Several inputs put together along an axis: `concatenate([a, b, ...], axis)`.

    An entry is masked out if the input that it comes from masks it out.

    Args:
        axis: Int, the axis along which the inputs are put together. Defaults to `-1`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.layers.Layer`.

    Input shape:
        A list of shapes `(batch, ...)` that differ in `axis` alone, or a dict of them,
        which is taken in the order of its sorted keys.

    Output shape:
        The shape of an input, with the sum of all sizes along `axis`.

    Raises:
        TypeError: If `axis` is of another type.
        ValueError: If the inputs are no list or dict, or have shapes that do not fit
            each other.

    Example:

    >>> layer = MyConcatenate()
    >>> a, b = keras.ops.ones((2, 3)), keras.ops.zeros((2, 5))
    >>> tuple(layer([a, b]).shape)
    (2, 8)
    >>> tuple(layer({"text": a, "image": b}).shape)
    (2, 8)

    Reference:
        Drop-in for `keras.layers.Concatenate`, without sparse inputs. Keras's own takes
        no dict.
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        if not is_int(axis):
            raise TypeError(f"`axis` must be an int. Received: axis={axis!r}")
        self.axis = int(axis)
        self.supports_masking = True

    def build(self, input_shape):
        self.compute_output_shape(input_shape)  # Refuses shapes that do not fit.

    def call(self, inputs):
        return ops.concatenate(in_order(inputs), axis=self.axis)

    def compute_mask(self, inputs, mask=None):
        if mask is None:
            return None
        inputs, masks = in_order(inputs), in_order(mask)
        if len(masks) != len(inputs):
            raise ValueError(
                "There must be a mask, or None, for each of the "
                f"{len(inputs)} inputs. Received: mask={mask}"
            )
        if all(kept is None for kept in masks):
            return None
        whole = []
        for x, kept in zip(inputs, masks, strict=True):
            if kept is None:
                kept = ops.ones_like(x, dtype="bool")
            elif len(kept.shape) < len(x.shape):
                behind = tuple(range(len(kept.shape), len(x.shape)))
                kept = ops.expand_dims(kept, behind)
                kept = ops.logical_and(kept, ops.ones_like(x, dtype="bool"))
            whole.append(kept)
        return ops.any(ops.concatenate(whole, axis=self.axis), axis=-1)

    def compute_output_shape(self, input_shape):
        shapes = shapes_in_order(input_shape)
        output_shape = list(common_shape(shapes, but=self.axis))
        sizes = [shape[self.axis] for shape in shapes]
        output_shape[self.axis] = None if None in sizes else sum(sizes)
        return tuple(output_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
        }
