"""The shapes that symbolic calls report, and `call` traced as in `fit`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from scaffold.conformance.lazy import keras
from scaffold.conformance.subject import Data

# A tuple of ints and Nones, or lists and dicts of them; `None` for an output that is `None`.
Shapes = Any


def trace(layer: Any, symbols: Data) -> None:
    """Trace `call` itself for symbolic inputs on TensorFlow, as `fit` does.

    A plain symbolic call uses `compute_output_shape` if there is one, and `call` never sees
    unknown sizes. On the other backends it never does.

    Args:
        layer: The layer.
        symbols: Its symbolic inputs.
    """
    import tensorflow as tf

    def called(*tensors: Any) -> Any:
        given = dict(zip(map(id, symbols.tensors()), tensors, strict=True))
        data = symbols.map(lambda symbol: given[id(symbol)])
        return layer(data.inputs, **data.call)

    specs = [tf.TensorSpec(symbol.shape, symbol.dtype) for symbol in symbols.tensors()]
    tf.function(called, autograph=False).get_concrete_function(*specs)


def given_shapes(method: Any, shapes: Mapping[str, Shapes]) -> Any:
    """Return what a method such as `build` returns for the shapes of a call's tensors, by name.

    As in Keras, the first shape is passed by position, and the others by name.
    """
    (_, first), *others = shapes.items()
    named = inspect.signature(method).parameters
    return method(first, **{name: shape for name, shape in others if name in named})


def shapes_of(outputs: Any) -> Shapes:
    """Return the shapes of a structure of tensors, as lists and dicts of tuples."""
    return _mapped(outputs, lambda leaf: None if leaf is None else tuple(leaf.shape), _no_shape)


def standard(shapes: Any) -> Shapes:
    """Return what `compute_output_shape` returned, in the form of `shapes_of`."""
    return _mapped(shapes, lambda leaf: leaf, _is_shape)


def _mapped(structure: Any, use: Callable[[Any], Any], is_shape: Callable[[Any], bool]) -> Any:
    if isinstance(structure, Mapping):
        return {name: _mapped(part, use, is_shape) for name, part in structure.items()}
    if is_shape(structure):
        return tuple(structure)
    if isinstance(structure, list | tuple):
        return [_mapped(part, use, is_shape) for part in structure]
    return use(structure)


def _no_shape(structure: Any) -> bool:
    return False


def _is_shape(structure: Any) -> bool:
    parts = (list, tuple, Mapping)
    return isinstance(structure, list | tuple) and not any(isinstance(a, parts) for a in structure)


def outline(shapes: Shapes) -> str:
    """Return the structure of some outputs as a phrase: `[tensor, tensor]`."""
    if isinstance(shapes, Mapping):
        return "{" + ", ".join(f"{name}: {outline(shapes[name])}" for name in sorted(shapes)) + "}"
    if isinstance(shapes, list):
        return "[" + ", ".join(map(outline, shapes)) + "]"
    return "None" if shapes is None else "tensor"


def tensors(structure: Any) -> list[Any]:
    """Return the leaves that are tensors, in the order of the structure."""
    return [leaf for leaf in keras.tree.flatten(structure) if leaf is not None]


def flat(shapes: Shapes) -> Iterator[tuple[int | None, ...]]:
    """Yield all shapes, in the order of `tensors`."""
    if isinstance(shapes, Mapping):
        for name in sorted(shapes):
            yield from flat(shapes[name])
    elif isinstance(shapes, list):
        for part in shapes:
            yield from flat(part)
    elif shapes is not None:
        yield shapes


def admits(declared: tuple[int | None, ...], real: tuple[int | None, ...]) -> bool:
    """Return whether a shape with unknown sizes can be the real one."""
    return len(declared) == len(real) and all(
        size is None or size == axis for size, axis in zip(declared, real, strict=True)
    )
