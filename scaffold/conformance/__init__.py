"""Checks whether a Keras layer or model keeps Keras's contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scaffold.cases import Case, Input
from scaffold.conformance.finding import Finding, Outcome, Where
from scaffold.conformance.registry import Check, checks

if TYPE_CHECKING:
    from scaffold.conformance.api import ConformanceError, check, parametrize_with_checks

__all__ = [
    "Case",
    "Check",
    "ConformanceError",
    "Finding",
    "Input",
    "Outcome",
    "Where",
    "check",
    "checks",
    "parametrize_with_checks",
]


def __getattr__(name: str) -> Any:
    """Import what runs checks on first use: listing checks doesn't need it."""
    if name not in ("ConformanceError", "check", "parametrize_with_checks"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from scaffold.conformance import api

    return getattr(api, name)
