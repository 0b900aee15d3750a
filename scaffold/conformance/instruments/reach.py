"""Finds the user's functions that a method runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from scaffold.conformance.instruments.names import Names
from scaffold.conformance.source import Source

_FOREIGN = ("keras", "tensorflow", "torch", "jax", "numpy", "builtins")


@dataclass(frozen=True)
class Reached:
    """A function of the user, in the file that defines it.

    Args:
        source: The class it belongs to, or that of the method from which it was reached.
        function: The function.
        names: Resolves the names in it.
        is_method: Whether its first parameter is the layer.
    """

    source: Source
    function: ast.FunctionDef
    names: Names
    is_method: bool


class Methods:
    """The methods and functions of a class and its bases that don't belong to a library.

    Args:
        cls: The class.
    """

    def __init__(self, cls: type) -> None:
        self._sources = [_source(base) for base in cls.__mro__]

    def find(self, name: str) -> Reached | None:
        """Return the method of this name, unless the one that runs is a library's."""
        for base, source in self._sources:
            if name in vars(base):
                method = source.method(name) if source else None
                return _reached(source, method, True) if source and method else None
        return None

    def called(self, reached: Reached, call: ast.Call) -> Reached | None:
        """Return the user's function that a call in `reached` runs."""
        match call.func:
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return self.find(name)
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name):
                return self._inherited(reached, name)
            case ast.Name(id=name):
                return _function(reached, name)
        return None

    def _inherited(self, reached: Reached, name: str) -> Reached | None:
        sources = [source for _, source in self._sources]
        after = next((i for i, s in enumerate(sources) if s is reached.source), len(sources)) + 1
        for base, source in self._sources[after:]:
            if name in vars(base):
                method = source.method(name) if source else None
                return _reached(source, method, True) if source and method else None
        return None

    def run_by(self, name: str) -> Iterator[Reached]:
        """Yield the method of this name and all that it runs, each once."""
        first = self.find(name)
        waiting, seen = [first] if first else [], set()
        while waiting:
            reached = waiting.pop()
            if reached.function in seen:
                continue
            seen.add(reached.function)
            yield reached
            calls = (node for node in ast.walk(reached.function) if isinstance(node, ast.Call))
            waiting += [found for call in calls if (found := self.called(reached, call))]


def _source(base: type) -> tuple[type, Source | None]:
    foreign = base.__module__.partition(".")[0] in _FOREIGN
    return base, None if foreign else Source(base)


def _function(reached: Reached, name: str) -> Reached | None:
    """Return a function of the same file."""
    for node in reached.source.module.body if reached.source.module else ():
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return _reached(reached.source, node, False)
    return None


def _reached(source: Source, function: ast.FunctionDef, is_method: bool) -> Reached | None:
    if source.module is None:
        return None
    return Reached(source, function, Names(source.module, function), is_method)
