"""Inputs of other sizes: which axes may grow, and the same class with larger inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from scaffold.cases import Input, map_inputs
from scaffold.conformance.subject import Subject


def spatial_axes(subject: Subject) -> Callable[[Input], list[int]]:
    """Return a function that gives the axes of an input besides the batch and the channels."""
    first = getattr(subject.shared, "data_format", None) == "channels_first"

    def axes(described: Input) -> list[int]:
        rank = len(described.shape)
        return list(range(2, rank) if first and rank > 2 else range(1, rank - 1))

    return axes


def stretched(subject: Subject, by: int) -> Subject:
    """Return the same class with inputs whose spatial axes are `by` times as long."""
    axes = spatial_axes(subject)

    def longer(described: Input) -> Input:
        grown = axes(described)
        shape = (size * by if i in grown else size for i, size in enumerate(described.shape))
        return replace(described, shape=tuple(shape))

    case = subject.case
    inputs, call = map_inputs(longer, case.inputs), map_inputs(longer, dict(case.call))
    return subject.like(inputs=inputs, call=call)


def accepted(layer: Any, subject: Subject) -> bool:
    """Return whether a built layer accepts the inputs of a case."""
    try:
        subject.call(layer)
    except Exception:  # each backend and each layer rejects a size in its own way
        return False
    return True
