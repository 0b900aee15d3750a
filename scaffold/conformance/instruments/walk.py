"""Finds what a layer holds, anywhere: attributes, containers, closures, module globals."""

from __future__ import annotations

import dis
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MethodType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any

from scaffold.conformance.lazy import keras

_LIBRARIES = frozenset(
    {"keras", "tensorflow", "jax", "jaxlib", "torch", "numpy", "optree", "scaffold"}
) | frozenset(sys.stdlib_module_names)
_FIRST = 1000  # further parts of a container add nothing new
_BOOKS_OF_TENSORFLOW = ("_self_unconditional_", "_self_saveable_", "_self_name_based_")
_PLAIN = (str, bytes, int, float, complex, type, ModuleType, BuiltinFunctionType, type(None))


@dataclass(frozen=True)
class Held:
    """Something that a layer holds.

    Args:
        path: How to reach it, as a Python expression if possible: `self.parts['a'][0]`.
        attribute: The attribute of the layer that leads to it; empty if there is none.
        owner: The layer that holds it.
        value: What is held.
    """

    path: str
    attribute: str
    owner: Any
    value: Any


def layers_of(layer: Any) -> list[Any]:
    """Return the layer and all of its sub-layers that Keras tracks."""
    return list(layer._flatten_layers())


def names_of_weights(layer: Any) -> dict[int, str]:
    """Return a name for each variable by its `id`: `self.encoder.kernel`."""
    names = {id(layer): "self"}
    for owner in layers_of(layer):
        for held in held_by(owner):
            if isinstance(held.value, keras.layers.Layer):
                step = f".{held.value.name}" if _is_of_library(type(owner)) else held.path[4:]
                names.setdefault(id(held.value), names.get(id(owner), owner.name) + step)
    return {
        id(variable): f"{names.get(id(owner), owner.name)}.{variable.name}"
        for owner in reversed(layers_of(layer))
        for variable in owner._trainable_variables + owner._non_trainable_variables
    }


def listed(layer: Any, variables: Sequence[Any]) -> str:
    """Return the names of some variables as a phrase, the first three of them."""
    names = names_of_weights(layer)
    shown = ", ".join(f"`{names.get(id(one), one.path)}`" for one in variables[:3])
    return f"{shown} and {len(variables) - 3} more" if len(variables) > 3 else shown


def held_in_tree(layer: Any) -> Iterator[Held]:
    """Yield everything that the layer and its sub-layers hold, each object once."""
    seen: set[int] = set()
    for owner in layers_of(layer):
        for held in held_by(owner):
            if id(held.value) not in seen:
                seen.add(id(held.value))
                yield held


def held_by(layer: Any) -> Iterator[Held]:
    """Yield everything that a layer itself holds, in whatever container, each object once.

    It follows the user's objects, Python's containers and functions, but not other layers,
    variables or objects of a library.
    """
    seen = {id(layer)}
    waiting = deque(Held(path, name, layer, value) for path, name, value in _roots(layer))
    while waiting:  # breadth first, so that each object has its shortest path
        held = waiting.popleft()
        if isinstance(held.value, _PLAIN) or id(held.value) in seen:
            continue
        seen.add(id(held.value))
        yield held
        waiting.extend(
            Held(held.path + step, held.attribute, layer, part)
            for step, part in islice(_parts(held.value), _FIRST)
        )


def _roots(layer: Any) -> Iterator[tuple[str, str, Any]]:
    own = vars(layer)
    for name, value in own.items():
        if name not in _names_of_keras() and not name.startswith(_BOOKS_OF_TENSORFLOW):
            yield f"self.{name}", name, value
    for registry in ("_modules", "_parameters", "_buffers"):  # where Torch keeps its own
        for name, value in own.get(registry, {}).items():
            if name != "_torch_params":  # the values of what Keras tracks
                yield f"self.{name}", name, value
    for cls in type(layer).__mro__:
        if not _is_of_library(cls):
            for name, value in vars(cls).items():
                if not name.startswith("__"):
                    yield f"{cls.__name__}.{name}", "", value


@cache
def _names_of_keras() -> frozenset[str]:
    return frozenset(vars(keras.layers.Layer())) | frozenset(vars(keras.Model()))


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case Mapping():
            yield from ((f"[{key!r}]", part) for key, part in list(value.items()))
        case partial():
            yield from ((".func", value.func), (".args", value.args))
            yield (".keywords", value.keywords)
        case MethodType():
            yield (".__self__", value.__self__)
        case FunctionType():
            yield from _of_function(value)
        case property() | classmethod() | staticmethod():
            yield ("", getattr(value, "fget", None) or getattr(value, "__func__", None))
        case set() | frozenset():
            yield from (("", part) for part in value)
        case list() | tuple() | deque():
            yield from ((f"[{i}]", part) for i, part in enumerate(value))
    if isinstance(value, SimpleNamespace) or _is_of_user(value):
        yield from ((f".{name}", part) for name, part in _attributes(value))
    if not isinstance(value, FunctionType) and callable(value):
        yield from _wrapped(value)


def _is_of_user(value: Any) -> bool:
    """Return whether it is an object of the user's class, and neither a layer nor a variable."""
    if isinstance(value, (keras.layers.Layer, keras.Variable, FunctionType, MethodType)):
        return False
    return not _is_of_library(type(value))


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    yield from getattr(value, "__dict__", {}).items()
    for cls in type(value).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name) and not name.startswith("__"):
                yield name, getattr(value, name)


def _is_of_library(thing: Any) -> bool:
    module = getattr(thing, "__module__", None) or "builtins"
    return module.partition(".")[0] in _LIBRARIES


def _of_function(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield what a user's function closes over, its defaults, and the globals that it names."""
    if _is_of_library(function):
        return
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in cells:
        if cell != type(cell)():  # an empty cell has no contents to read
            yield f" -> {name}", cell.cell_contents
    for name in sorted(_globals_of(function.__code__) & function.__globals__.keys()):
        yield f" -> {name}", function.__globals__[name]
    yield from ((" default", value) for value in function.__defaults__ or ())
    yield from ((f" default {n}", value) for n, value in (function.__kwdefaults__ or {}).items())


def _globals_of(code: CodeType) -> set[str]:
    """Return the globals that a function reads; `co_names` includes attributes."""
    found = {step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"}
    inner = (part for part in code.co_consts if isinstance(part, CodeType))
    return found.union(*map(_globals_of, inner))


def _wrapped(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the function inside what a compiler or a decorator made of it."""
    attributes = getattr(value, "__dict__", {})
    for name in ("__wrapped__", "_python_function", "python_function"):
        if isinstance(attributes.get(name), FunctionType | MethodType | partial):
            yield "", attributes[name]
