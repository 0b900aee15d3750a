"""How a single check ends on a class, regardless of the checks that it needs."""

from __future__ import annotations

from typing import Any

from scaffold.cases import case_from
from scaffold.conformance.finding import Outcome
from scaffold.conformance.registry import find
from scaffold.conformance.runner import run
from scaffold.conformance.subject import Subject


def outcome(cls: Any, check_id: str, **case: Any) -> Outcome:
    """Return how this check ends, on inputs of shape (2, 6, 8) unless the case has others."""
    subject = Subject(cls, case_from({"input": (2, 6, 8), **case}))
    (found,) = run(subject, [find(check_id)])
    return found
