"""Finds the cases of a class: declared ones first, a search last."""

from __future__ import annotations

import inspect
import itertools
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from scaffold.cases import (
    Case,
    ClassFacts,
    Input,
    Suggest,
    Suggestion,
    case_from,
    written,
)
from scaffold.conformance.subject import Subject
from scaffold.pyproject import PYPROJECT, nearest_project

# By name: the checks don't depend on the templates, which know more cases.
_SUGGEST = "scaffold.generation.suggesting:suggest"
# Values for arguments without a default, by the first of these words in the name.
_GUESSES: tuple[tuple[str, Any], ...] = (
    ("activation", "tanh"),
    ("initializer", "glorot_uniform"),
    ("regularizer", None),
    ("rate", 0.25),
    ("dropout", 0.25),
    ("prob", 0.25),
    ("epsilon", 1e-3),
    ("alpha", 0.5),
    ("factor", 0.5),
    ("scale", 0.5),
    ("stddev", 0.5),
    ("momentum", 0.9),
    ("padding", "same"),
    ("heads", 2),
    ("kernel_size", 3),
    ("patch_size", 2),
    ("pool_size", 2),
    ("strides", 1),
    ("layers", 2),
    ("depth", 2),
    ("blocks", 2),
    ("vocab", 16),
    ("input_dim", 16),
    ("num_tokens", 16),
    ("length", 16),
    ("max", 16),
    ("classes", 4),
    ("layer", "keras.layers.Dense(8)"),
    ("cell", "keras.layers.SimpleRNNCell(8)"),
)
_BY_TYPE: dict[str, Any] = {"int": 8, "float": 0.5, "bool": True, "str": "same"}
_OF_ANY_KIND = (8, 0.5, "keras.layers.Dense(8)", "same", True, (3, 3), None)
_TRIES = 100
# Tried in this order, but first those that match a rank in the class's name.
_SHAPES: tuple[Any, ...] = (
    Input((2, 6, 8)),
    Input((2, 8, 10, 3)),
    Input((2, 8)),
    Input((2, 4, 5, 6, 3)),
    Input((2, 6), "int32", 0, 16),
    [Input((2, 6, 8)), Input((2, 6, 8))],
    [Input((2, 8)), Input((2, 8))],
    Input((2,)),
    [Input((2, 6, 8)), Input((2, 6, 6), low=0, high=1)],
    Input((2, 8, 10, 8)),  # as many channels as `filters` is guessed to be
)
_RANKS = {"1d": 0, "2d": 1, "3d": 3}


def cases_of(cls: Any, given: Mapping[str, Any], folder: Path) -> Iterator[tuple[Case, str]]:
    """Yield the cases of a class, each with a phrase that says where it comes from.

    Args:
        cls: The class.
        given: What the command line gives: a case's `args`, `input` and `tags`, or some of them.
        folder: Where the class's module is imported from.

    Raises:
        UsageError: If a case is invalid.
    """
    parameters = list(inspect.signature(cls.call).parameters)[1:]
    found, origin = _declared(cls, folder)
    if "args" in given or "input" in given:
        found, origin = [{}], ""
    elif not found:
        yield from _suggested(cls, given, parameters)
        return
    for data in found:
        case = case_from({**data, **given}, parameters)
        yield _completed(cls, case, origin)


def _suggested(cls: Any, given: Mapping[str, Any], parameters: list[str]) -> list[tuple[Case, str]]:
    """Return the cases of the first suggestion that works for the class, else what is found."""
    for suggestion in _suggestions(cls):
        cases = [case_from({**data, **given}, parameters) for data in suggestion.cases]
        completed = [_completed(cls, case, suggestion.origin) for case in cases]
        if completed and all(_works(Subject(cls, case), training=True) for case, _ in completed):
            return completed
    return [_completed(cls, case_from(given, parameters), "")]


def _suggestions(cls: Any) -> Iterable[Suggestion]:
    suggest: Suggest = resolve_name(_SUGGEST)
    names = frozenset(Subject(cls, Case()).parameters)
    return suggest(ClassFacts(cls.__name__, _target(cls), names, _base(cls)))


def _target(cls: Any) -> str:
    from keras import Model

    return "model" if issubclass(cls, Model) else "layer"


def _base(cls: Any) -> str:
    """Return the public Keras layer that the class derives from; empty if it is `Layer`."""
    from keras import layers

    for parent in cls.__mro__[1:]:
        name: str = parent.__name__
        if getattr(layers, name, None) is parent and parent is not layers.Layer:
            return name
    return ""


def _declared(cls: Any, folder: Path) -> tuple[list[Any], str]:
    """Return the cases that the class or its project declares, and where."""
    declare = getattr(cls, "scaffold_cases", None)
    if declare is not None:
        return list(declare()), "its cases come from `scaffold_cases`"
    project = nearest_project(folder)
    if project is None:
        return [], ""
    data = tomllib.loads((project / PYPROJECT).read_text(encoding="utf-8"))
    table = data.get("tool", {}).get("scaffold", {}).get("check", {})
    for key in (f"{cls.__module__}:{cls.__qualname__}", cls.__qualname__):
        if key in table:
            return list(table[key]), f"its cases come from `[[tool.scaffold.check.{key}]]`"
    return [], ""


def _completed(cls: Any, case: Case, origin: str) -> tuple[Case, str]:
    """Fill in what the case leaves open: arguments from the signature, inputs from a search."""
    chosen = _chosen(cls, case)
    whole = replace(case, args={**case.args, **chosen})
    words = [f"`{name}={value!r}`" for name, value in chosen.items()]
    said = [origin, f"chosen by name: {', '.join(words)}" if words else ""]
    if case.inputs is None:
        whole, tried = _search(cls, whole)
        said.append(tried)
    return whole, "; ".join(filter(None, said))


def _chosen(cls: Any, case: Case) -> dict[str, Any]:
    """Return the first accepted value for each argument without a default that is not given."""
    parameters = Subject(cls, Case()).parameters.values()
    empty = inspect.Parameter.empty
    missing = [p for p in parameters if p.default is empty and p.name not in case.args]
    usual = [_usual(parameter) for parameter in missing]
    names = [parameter.name for parameter in missing]
    guesses = [dict(zip(names, values, strict=True)) for values in itertools.product(*usual)]
    tested = [
        guesses[0] | _only(names, suggestion.arguments)
        for suggestion in _suggestions(cls)
        if suggestion.arguments is not None
    ]
    tries = [*tested, *guesses][:_TRIES]
    return next((values for values in tries if _is_taken(cls, case, values)), tries[0])


def _only(names: Iterable[str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


def _is_taken(cls: Any, case: Case, values: Mapping[str, Any]) -> bool:
    try:
        Subject(cls, replace(case, args={**case.args, **values})).make()
    except Exception:  # The values are ours: refusing them is not a finding.
        return False
    return True


def _usual(parameter: inspect.Parameter) -> list[Any]:
    """Return usual values for an argument: by a word in its name, its annotation, else any type."""
    for word, value in _GUESSES:
        if word in parameter.name:
            return [value]
    annotation = parameter.annotation
    kind = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return [_BY_TYPE[kind]] if kind in _BY_TYPE else list(_OF_ANY_KIND)


def _search(cls: Any, case: Case) -> tuple[Case, str]:
    """Return the case with the first usual inputs that work, and what was tried.

    If none works, the first ones are used, and the checks report the failure.
    """
    _, *others = _tensors_of_call(cls)
    shapes = list(_ordered(cls.__name__.lower()))
    found = [
        replace(case, inputs=s, call={**dict.fromkeys(others, s), **case.call}) for s in shapes
    ]
    works = next((i for i, one in enumerate(found) if _works(Subject(cls, one))), None)
    failed = ", ".join(f"`{written(shape)}`" for shape in shapes[:works])
    tried = [f"{failed} did not work"] * bool(failed)
    if works is not None:
        tried.append(f"`{written(shapes[works])}` works")
    return found[works or 0], f"no input was given: {', '.join(tried)}"


def _tensors_of_call(cls: Any) -> list[str]:
    """Return the required parameters of `call`, and the first one in any case."""
    first, *others = Subject(cls, Case()).call_parameters.values()
    empty = inspect.Parameter.empty
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    needed = [other for other in others if other.default is empty and other.kind in named]
    return [p.name for p in (first, *needed) if p.name not in ("training", "mask")]


def _ordered(name: str) -> Iterable[Any]:
    first = [_SHAPES[index] for rank, index in _RANKS.items() if rank in name]
    return [*first, *(shape for shape in _SHAPES if shape not in first)]


def _works(subject: Subject, training: bool | None = None) -> bool:
    """Return whether a call on these inputs works; the checks report why it doesn't."""
    try:
        subject.call(subject.make(), training=training)
    except Exception:
        return False
    return True
