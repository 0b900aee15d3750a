"""The JSON answer of `scaffold check`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from scaffold.conformance.finding import Outcome
from scaffold.conformance.report.json import run_data

# What is expected of a process that a check ended or that ran out of time.
LOST = "the process to survive"
_ENDS = {
    "passed": "kept",
    "failed": "broken",
    "expected": "broken",
    "not_applicable": "not_checked",
    "blocked": "not_checked",
    "not_run_here": "not_run_here",
}


def check_data(
    outcomes: Sequence[Outcome], notes: Iterable[str], backends: Sequence[str], here: Path
) -> dict[str, Any]:
    """Return the data of a whole run, with what each outcome means for the contract."""
    data = run_data(outcomes, notes, backends, here)
    for one, outcome in zip(data["outcomes"], outcomes, strict=True):
        one["outcome"] = meaning(outcome)
    return data


def meaning(outcome: Outcome) -> str:
    """Return whether the contract is `kept` or `broken`, or why that is not known.

    A check is `unfinished` if it ended the process or exceeded the time limit.
    """
    lost = any(finding.expected == LOST for finding in outcome.findings)
    return "unfinished" if lost else _ENDS[outcome.status]
