"""Records what the sub-layers of a layer are called with, and from which line."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from scaffold.conformance.finding import Where
from scaffold.conformance.source import Source

_ENTRY = str(Path(__file__).parents[1] / "subject.py")  # from where the checks call a layer


@dataclass(frozen=True)
class Spot:
    """A location in the user's source.

    Args:
        path: The file.
        lines: The first and the last line of the expression that runs there.
        columns: Where it begins in the first line and ends in the last.
    """

    path: str
    lines: tuple[int, int]
    columns: tuple[int, int]

    @property
    def where(self) -> Where:
        return Where(self.path, self.lines[0])

    @property
    def keywords(self) -> list[str]:
        """The names of the keyword arguments of the call that runs there."""
        for node in ast.walk(_parsed(self.path)):
            if isinstance(node, ast.Call) and self._is(node):
                return [keyword.arg or "" for keyword in node.keywords]
        return []

    def _is(self, node: ast.Call) -> bool:
        lines = (node.lineno, node.end_lineno)
        return (lines, (node.col_offset, node.end_col_offset)) == (self.lines, self.columns)


@dataclass(frozen=True)
class Seen:
    """A call of a sub-layer.

    Args:
        layer: The sub-layer.
        bound: The arguments of its `call`, including defaults.
        outputs: What it returned.
        spot: Where it was called; `None` if Keras or another library called it.
        bypassed: Whether its `call` was called instead of the layer itself.
        inside: The spied layer in whose call it was called, if there is one.
    """

    layer: Any
    bound: inspect.BoundArguments
    outputs: Any
    spot: Spot | None
    bypassed: bool
    inside: Any

    def again(self, **changes: Any) -> Any:
        """Call the sub-layer again with the same arguments, except for `changes`."""
        bound = inspect.BoundArguments(self.bound.signature, self.bound.arguments | changes)
        return self.layer.call(*bound.args, **bound.kwargs)


def sublayers(layer: Any) -> list[Any]:
    """Return all layers inside `layer`, at any depth."""
    return list(layer._flatten_layers(include_self=False))


def takes(layer: Any, argument: str) -> bool:
    """Return whether the `call` of a layer has this argument."""
    return argument in inspect.signature(layer.call).parameters


def spelled(outer: Any, inner: Any) -> str:
    """Return a sub-layer as written in `outer`, such as `self.blocks[0]`, else its name."""
    in_torch = vars(outer).get("_modules", {})
    for name, value in {**vars(outer), **in_torch}.items():
        if value is inner:
            return f"self.{name}"
        if name.startswith("_"):
            continue
        if isinstance(value, Mapping):
            found = [key for key, part in value.items() if part is inner]
        elif isinstance(value, list | tuple):
            found = [index for index, part in enumerate(value) if part is inner]
        else:
            continue
        if found:
            return f"self.{name}[{found[0]!r}]"
    return str(inner.name)


@contextmanager
def spied(layers: Iterable[Any], files: frozenset[str]) -> Iterator[list[Seen]]:
    """Record each call of each of `layers`.

    Args:
        layers: The layers.
        files: The user's files, to find where they were called.
    """
    seen: list[Seen] = []
    active: list[tuple[Any, Spot | None]] = []
    with ExitStack() as stack:
        for layer in layers:
            spy = _spy(layer, seen, active, files)
            stack.callback(_replaced(layer, spy))
        yield seen


def _replaced(layer: Any, call: Callable[..., Any]) -> Callable[[], Any]:
    """Replace a layer's `call` without Keras noticing; return a function that undoes it."""
    before = vars(layer).get("call")
    object.__setattr__(layer, "call", call)
    if before is None:
        return lambda: vars(layer).pop("call")
    return lambda: object.__setattr__(layer, "call", before)


def _spy(
    layer: Any, seen: list[Seen], active: list[tuple[Any, Spot | None]], files: frozenset[str]
) -> Callable[..., Any]:
    call = layer.call
    signature = inspect.signature(call)

    @functools.wraps(call)
    def spy(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        caller = sys._getframe(1)
        spot, bypassed = spot_in(files, caller), caller.f_code.co_filename in files
        if any(spot == outer for _, outer in active):  # one of Keras's own layers called it
            spot = None
        inside = active[-1][0] if active else None
        active.append((layer, spot))
        try:
            outputs = call(*args, **kwargs)
        finally:
            active.pop()
        seen.append(Seen(layer, bound, outputs, spot, bypassed, inside))
        return outputs

    return spy


def files_of(cls: type) -> frozenset[str]:
    """Return the files of a class and its bases, Keras's own only if the class is Keras's."""
    ours = [base for base in cls.__mro__ if not _is_foreign(base)] or [cls]
    return frozenset(path for base in ours if (path := Source(base).path))


def _is_foreign(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in ("keras", "builtins", "torch", "tensorflow", "abc")


def spot_in(files: frozenset[str], frame: FrameType | None) -> Spot | None:
    """Return the nearest location in one of `files`, from a frame up to the call of the layer."""
    while frame is not None and frame.f_code.co_filename not in files:
        frame = None if frame.f_code.co_filename == _ENTRY else frame.f_back
    if frame is None:
        return None
    positions = list(frame.f_code.co_positions())[frame.f_lasti // 2]
    line, last, first_column, last_column = (number or 0 for number in positions)
    return Spot(frame.f_code.co_filename, (line, last), (first_column, last_column))


@functools.cache
def _parsed(path: str) -> ast.Module:
    return ast.parse(Path(path).read_text(encoding="utf-8"))
