"""The classes of the zoo, read from the source without importing Keras."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

BACKENDS = ("tensorflow", "jax", "torch")
HERE = Path(__file__).parent
_REPORT = re.compile(r"(?:[\w.-]+/)?[\w.-]+#\d+")
_CASE = ("args", "input", "call", "tags")
_Class = TypeVar("_Class")


@dataclass(frozen=True)
class Entry:
    """A class of the zoo.

    Args:
        name: Its name.
        family: The module that holds it.
        text: Its docstring on one line.
        check: The check that must find its defect; empty if it has none.
        also: Checks that may report the same defect, too.
        on: The backends on which the defect shows; on the others the class is clean.
        silent: Whether it gives wrong results without an error.
        case: What it is checked with, as `case_from` reads it.
    """

    name: str
    family: str
    text: str
    check: str
    also: tuple[str, ...]
    on: tuple[str, ...]
    silent: bool
    case: dict[str, Any]

    @property
    def module(self) -> str:
        return f"conformance.zoo.{self.family}"

    @property
    def defect(self) -> str:
        """What is wrong, without the reports."""
        return re.sub(rf" \({_REPORT.pattern}(, {_REPORT.pattern})*\)", "", self.text)

    @property
    def reports(self) -> list[str]:
        """Where it was reported, as `repository#number`."""
        return _REPORT.findall(self.text)

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends on which the module can be imported."""
        own = self.family.rpartition("_")[2]
        return (own,) if own in BACKENDS else BACKENDS


def seeded(
    check: str,
    *,
    also: tuple[str, ...] = (),
    on: tuple[str, ...] = BACKENDS,
    silent: bool = True,
    **case: Any,
) -> Callable[[_Class], _Class]:
    """Declare which check must find the defect of a class, and what it is checked with."""
    return lambda cls: cls


def clean(**case: Any) -> Callable[[_Class], _Class]:
    """Declare that a class has no defect, and what it is checked with."""
    return lambda cls: cls


@cache
def entries() -> tuple[Entry, ...]:
    """Return all classes of the zoo."""
    paths = sorted(HERE.glob("*.py"))
    return tuple(entry for path in paths for entry in _entries(path))


def _entries(path: Path) -> Iterator[Entry]:
    for node in ast.parse(path.read_text("utf-8")).body:
        match node:
            case ast.ClassDef(
                decorator_list=[
                    ast.Call(func=ast.Name(id="seeded" | "clean"), args=first, keywords=named),
                    *_,
                ]
            ):
                given = {word.arg or "": ast.literal_eval(word.value) for word in named}
                yield Entry(
                    name=node.name,
                    family=path.stem,
                    text=" ".join((ast.get_docstring(node) or "").split()),
                    check=ast.literal_eval(first[0]) if first else "",
                    also=given.get("also", ()),
                    on=given.get("on", BACKENDS) if first else (),
                    silent=given.get("silent", bool(first)),
                    case={key: given[key] for key in _CASE if key in given},
                )
