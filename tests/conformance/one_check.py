"""How a single check ends on a class."""

from __future__ import annotations

from typing import Any

from scaffold.conformance.api import check
from scaffold.conformance.finding import Outcome


def outcome(cls: Any, check_id: str, **case: Any) -> Outcome:
    """How the check of this id ends, on inputs of shape (2, 6, 8) unless the case has others."""
    (found,) = check(cls, **{"input": (2, 6, 8), **case}, only=[check_id], raises=False)
    return found
