"""The attributes of a layer before and after calls: what Python code in `call` changes."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

from scaffold.conformance.finding import Where
from scaffold.conformance.instruments.walk import layers_of
from scaffold.conformance.lazy import keras, np
from scaffold.conformance.source import Source

_PLAIN = (bool, int, float, complex, str, bytes, type(None))
_MAKING = ("__init__", "build", "from_config", "load_own_variables")
_FIRST = 1000  # further parts of a container add nothing new


@dataclass(frozen=True)
class Change:
    """A changed attribute.

    Args:
        owner: The class that it belongs to.
        name: The attribute.
        before: Its old value, as a phrase.
        after: Its new value, as a phrase.
    """

    owner: type
    name: str
    before: str
    after: str

    @property
    def where(self) -> Where | None:
        """The line that changes it outside the constructor and `build`, if it can be found."""
        source = Source(self.owner)
        for method in source.methods():
            for node in ast.walk(method) if method.name not in _MAKING else ():
                if self._changes(node):
                    return source.at(node)
        return source.where_set(self.name)

    def _changes(self, node: ast.AST) -> bool:
        match node:
            case ast.Attribute(attr=name, ctx=ast.Store()) if name == self.name:
                return True
            case ast.Attribute(value=inner, ctx=ast.Store()) | ast.Subscript(
                value=inner, ctx=ast.Store()
            ):
                return self._is(inner)
            case ast.Call(func=ast.Attribute(value=inner)):
                return self._is(inner)
        return False

    def _is(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Attribute) and node.attr == self.name


class Attributes:
    """A snapshot of the attributes that the user's classes gave a layer and its sub-layers.

    Args:
        layer: The layer.
    """

    def __init__(self, layer: Any) -> None:
        self._found: dict[tuple[int, str], tuple[type, Any, Any]] = {}
        for owner in layers_of(layer):
            for holder, name, value in _own(owner):
                # The value is kept, so that no other object gets its id.
                self._found[id(holder), name] = (type(owner), value, _print_of(value, 4))

    def changes(self, later: Attributes) -> Iterator[Change]:
        """Yield what differs in `later`, including new attributes."""
        for key, (owner, value, after) in later._found.items():
            _, old, before = self._found.get(key, (owner, None, None))
            if before != after:
                yield Change(owner, key[1], _described(old), _described(value))


def _own(layer: Any) -> Iterator[tuple[Any, str, Any]]:
    """Yield the attributes of a layer and of its classes, each with what holds it."""
    if _is_keras(type(layer)):
        return
    for name, value in list(vars(layer).items()):
        if name not in _names_of_keras() and not name.startswith("_self_"):
            yield layer, name, value
    for cls in type(layer).__mro__:
        for name, value in list(vars(cls).items()) if not _is_keras(cls) else ():
            if not name.startswith("__") and not callable(value):
                yield cls, name, value


def _is_keras(cls: type) -> bool:
    library = cls.__module__.partition(".")[0]
    return library in ("keras", "tensorflow", "jax", "torch", "builtins", "abc")


@cache
def _names_of_keras() -> frozenset[str]:
    return frozenset(vars(keras.layers.Layer())) | frozenset(vars(keras.Model()))


def _print_of(value: Any, depth: int) -> Any:
    """Return what is equal for two values if, and only if, nothing in them has changed."""
    if isinstance(value, _PLAIN):
        return (type(value), repr(value))
    if isinstance(value, np.ndarray):
        return (id(value), value.tobytes() if value.dtype != object else b"")
    if depth == 0:
        return id(value)
    match value:
        case Mapping():
            parts = list(value.items())[:_FIRST]
            return (len(value), [(repr(key), _print_of(part, depth - 1)) for key, part in parts])
        case list() | tuple() | deque():
            return (len(value), [_print_of(part, depth - 1) for part in list(value)[:_FIRST]])
        case set() | frozenset():
            return (len(value), sorted(map(repr, list(value)[:_FIRST])))
        case SimpleNamespace():
            return _print_of(vars(value), depth)
    if is_dataclass(value) and hasattr(value, "__dict__") and not isinstance(value, type):
        return (id(value), _print_of(vars(value), depth - 1))
    return id(value)


def _described(value: Any) -> str:
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, Mapping | list | tuple | deque | set | frozenset):
        return f"a {type(value).__name__} of {len(value)}"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"a tensor of shape {tuple(value.shape)}"
    return f"a {type(value).__name__}"
