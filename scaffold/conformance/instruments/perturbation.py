"""Changes the arguments of a constructor, to see which of them are kept."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, get_args, get_origin
from weakref import WeakKeyDictionary

from scaffold.conformance.lazy import np
from scaffold.conformance.subject import Subject

_WORDS = (
    ("valid", "same"),
    ("channels_last", "channels_first"),
    ("mean", "sum"),
    ("max", "avg"),
    ("reflect", "symmetric"),
    ("bilinear", "nearest"),
)
# By the last word of the name, for values that are `None` or an arbitrary string.
_ENDINGS: dict[str, tuple[Any, ...]] = {
    "activation": ("tanh", "sigmoid"),
    "initializer": ("random_uniform", "he_normal"),
    "regularizer": ("l2", "l1"),
    "constraint": ("max_norm", "unit_norm"),
    "seed": (7, 8),
}
# `stateful` makes outputs depend on the number of earlier calls.
_LEFT_ALONE = ("name", "dtype", "trainable", "autocast", "stateful")
# Finding them takes many calls, and several checks need them.
_CHANGED: WeakKeyDictionary[Subject, dict[str, Any]] = WeakKeyDictionary()


def changed_arguments(subject: Subject) -> dict[str, Any]:
    """Return as many arguments as can differ from the case's at once, with the layer callable."""
    if subject not in _CHANGED:
        _CHANGED[subject] = _changed(subject)
    return dict(_CHANGED[subject])


def _changed(subject: Subject) -> dict[str, Any]:
    candidates = dict(_candidates(subject))
    together = {name: values[0] for name, values in candidates.items()}
    if _is_taken(subject, together) and _works(subject, together):
        return together
    for accepts in (_is_taken, _works):
        changed = _one_by_one(subject, candidates, accepts)
        if _works(subject, changed):
            return changed
    return {}


def _one_by_one(
    subject: Subject, candidates: dict[str, list[Any]], accepts: Callable[..., bool]
) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for name, values in candidates.items():
        for value in values:
            if accepts(subject, {**changed, name: value}):
                changed[name] = value
                break
    return changed


def _is_taken(subject: Subject, arguments: dict[str, Any]) -> bool:
    """Return whether a layer with these arguments takes symbolic inputs, which computes nothing."""
    try:
        subject.call_symbolic(subject.make(**arguments), subject.symbolic(subject.batch))
    except Exception:
        return False
    return True


def _works(subject: Subject, arguments: dict[str, Any]) -> bool:
    """Return whether a layer with these arguments gives finite outputs; it may reject any."""
    try:
        outputs = subject.outputs(subject.make(**arguments))
    except Exception:
        return False
    return all(np.all(np.isfinite(array)) for array in outputs if array.dtype.kind == "f")


def _candidates(subject: Subject) -> Iterator[tuple[str, list[Any]]]:
    for name, parameter in subject.parameters.items():
        value = subject.case.args.get(name, parameter.default)
        others = [other for other in _others(name, parameter, value) if other != value]
        if name not in _LEFT_ALONE and others:
            yield name, others


def _others(name: str, parameter: inspect.Parameter, value: Any) -> list[Any]:
    if get_origin(parameter.annotation) is not None and (members := get_args(parameter.annotation)):
        return [member for member in members if isinstance(member, str | int)]
    ending = name.rpartition("_")[2]
    match value:
        case bool():
            return [not value]
        case int():
            return [value + 1, value * 2, 1]
        case float():
            return [value * 0.5, 0.25, value + 1.0]
        case str() if ending in _ENDINGS:
            return list(_ENDINGS[ending])
        case str():
            return [other for words in _WORDS if value in words for other in words]
        case tuple() | list() if value and all(type(item) is int for item in value):
            return [type(value)(item + 1 for item in value), type(value)(1 for _ in value)]
        case tuple() | list() if value and all(type(item) is float for item in value):
            return [type(value)(item * 0.5 for item in value)]
        case None:
            return list(_ENDINGS.get(ending, ()))
    return []
