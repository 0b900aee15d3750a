"""Finds the layers and models that a module defines, by importing it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from scaffold.conformance.lazy import keras
from scaffold.conformance.process.targets import Module
from scaffold.errors import UsageError
from scaffold.text import nearest


def classes_of(module: Module) -> Iterator[type]:
    """Import a module and yield the requested layers and models.

    Raises:
        UsageError: If a requested class is not a layer or model.
    """
    if module.folder not in sys.path:
        sys.path.insert(0, module.folder)
    return classes_in(importlib.import_module(module.name), module.classes)


def classes_in(loaded: Any, names: Iterable[str]) -> Iterator[type]:
    """Yield the classes of these names in an imported module, or all its layers and models.

    Raises:
        UsageError: If a name is not that of a layer or model.
    """
    defined = {name: cls for name, cls in vars(loaded).items() if _is_defined_in(loaded, cls)}
    if not names:
        yield from defined.values()
    for name in names:
        cls = getattr(loaded, name, None)
        if not isinstance(cls, type) or not issubclass(cls, keras.layers.Layer):
            what = f"`{name}` in {loaded.__name__} is not a layer or model"
            there = ", ".join(defined) or "no layers or models"
            raise UsageError(f"{what}{nearest(name, defined)}", fix=f"The module defines {there}")
        yield cls


def _is_defined_in(module: Any, value: Any) -> bool:
    return (
        isinstance(value, type)
        and issubclass(value, keras.layers.Layer)
        and value.__module__ == module.__name__
        and not value.__name__.startswith("_")
    )
