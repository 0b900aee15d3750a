"""Records what a block creates and which layers it calls."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from scaffold.conformance.finding import Where
from scaffold.conformance.lazy import keras

_Record = Callable[[Any, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Made:
    """A Keras object and the line that created it.

    Args:
        value: The variable, layer, metric, seed generator or optimizer.
        where: The innermost line outside Keras that led to it.
        arguments: The keyword arguments that its constructor was called with.
    """

    value: Any
    where: Where | None
    arguments: Mapping[str, Any]


@dataclass
class Audit:
    """What a block created, in order, and what it called.

    Args:
        variables: The `keras.Variable`s.
        owners: The layers, metrics, seed generators and optimizers.
        called: The layers that were called, each once.
    """

    variables: list[Made] = field(default_factory=list)
    owners: list[Made] = field(default_factory=list)
    called: list[Any] = field(default_factory=list)

    def layers(self) -> list[Made]:
        """Return the layers among the owners."""
        return [made for made in self.owners if isinstance(made.value, keras.layers.Layer)]


@contextmanager
def audited() -> Iterator[Audit]:
    """Record what the block creates and calls. Not thread-safe."""
    keras.random.uniform((1,))  # creates the global seed generator, which is nobody's state
    audit = Audit()
    owners = (
        keras.layers.Layer,
        keras.metrics.Metric,
        keras.random.SeedGenerator,
        keras.optimizers.Optimizer,
    )
    with ExitStack() as stack:
        stack.enter_context(_watched(_common(keras.Variable), "__init__", _into(audit.variables)))
        for cls in owners:
            stack.enter_context(_watched(cls, "__init__", _into(audit.owners)))
        stack.enter_context(_watched(keras.layers.Layer, "__call__", _once(audit.called)))
        yield audit


def _common(cls: Any) -> Any:
    """Return the base class of the variables of all backends."""
    return next(base for base in cls.__mro__ if base.__module__.endswith("common.variables"))


def _into(found: list[Made]) -> _Record:
    def record(value: Any, arguments: Mapping[str, Any]) -> None:
        if not any(made.value is value for made in found):
            found.append(Made(value, _where(sys._getframe(2)), arguments))

    return record


def _once(found: list[Any]) -> _Record:
    def record(value: Any, arguments: Mapping[str, Any]) -> None:
        if not any(one is value for one in found):
            found.append(value)

    return record


@contextmanager
def _watched(cls: Any, name: str, record: _Record) -> Iterator[None]:
    """Pass to `record` each object on which the method of a class is called."""
    owner = next(base for base in cls.__mro__ if name in vars(base))
    original = vars(owner)[name]

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(self, cls) and not type(self).__module__.startswith("scaffold."):
            record(self, kwargs)
        return original(self, *args, **kwargs)

    # Keras reads the arguments of a constructor without following `__wrapped__`.
    method.__signature__ = inspect.signature(original)  # type: ignore[attr-defined]
    setattr(owner, name, method)
    try:
        yield
    finally:
        setattr(owner, name, original)


def _where(frame: FrameType | None) -> Where | None:
    """Return the innermost line that is neither Keras's nor ours."""
    ours = (str(Path(keras.__file__).parent), str(Path(__file__).parents[2]))
    while frame is not None:
        path = frame.f_code.co_filename
        if not path.startswith((*ours, "<")) and "contextlib" not in path:
            return Where(path, frame.f_lineno)
        frame = frame.f_back
    return None
