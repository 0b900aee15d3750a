"""`MyConcatenate`: several inputs put together."""

import keras
from keras import ops


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
        ValueError: If an argument is none of the values above, or the inputs are no
            list or dict, or have shapes that do not fit each other.

    Example:

    >>> layer = MyConcatenate()
    >>> a, b = keras.ops.ones((2, 3)), keras.ops.zeros((2, 5))
    >>> tuple(layer([a, b]).shape)
    (2, 8)
    >>> tuple(layer({"text": a, "image": b}).shape)
    (2, 8)

    Reference:
        Drop-in for `keras.layers.Concatenate`. Keras's own takes no dict.
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def build(self, input_shape):
        self.compute_output_shape(input_shape)  # Refuses shapes that do not fit.

    def call(self, inputs):
        return ops.concatenate(in_order(inputs), axis=self.axis)

    def compute_mask(self, inputs, mask=None):
        if mask is None or all(kept is None for kept in in_order(mask)):
            return None
        masks = []
        for x, kept in zip(in_order(inputs), in_order(mask), strict=True):
            ones = ops.ones_like(x, dtype="bool")
            if kept is None:
                kept = ones
            while len(kept.shape) < len(x.shape):
                kept = ops.expand_dims(kept, -1)
            masks.append(ops.logical_and(kept, ones))
        return ops.any(ops.concatenate(masks, axis=self.axis), axis=-1)

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
