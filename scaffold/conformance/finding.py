"""Findings of checks, and how each check ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["passed", "failed", "expected", "not_applicable", "not_run_here", "blocked"]


@dataclass(frozen=True)
class Where:
    """A line of the user's source."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class Finding:
    """One way in which the contract is broken.

    Args:
        expected: What the contract requires, as a phrase that can follow "expected ".
        got: What was found instead, as a phrase that can follow "got ".
        where: The line of the user's source that it points at, if known.
    """

    expected: str
    got: str
    where: Where | None = None


@dataclass(frozen=True)
class Outcome:
    """How one check of one case ended.

    Args:
        subject: The class checked, as it is imported: `module:Class`.
        case: The case, as a short string; may be empty.
        backend: The backend it ran on.
        check: The id of the check.
        status: `passed`; `failed`, with findings; `expected`, if it failed as declared; or, with
            a reason, `not_applicable`, `not_run_here` (this processor lacks an operation) or
            `blocked` (a check that it needs did not pass).
        findings: What was found.
        reason: Why it was not run, or why it was expected to fail.
        seconds: How long it ran.
    """

    subject: str
    case: str
    backend: str
    check: str
    status: Status
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    seconds: float = 0.0

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Outcome:
        """Return the outcome that `dataclasses.asdict` turned into `data`."""
        return cls(**{**data, "findings": tuple(map(_finding, data["findings"]))})


def _finding(data: Mapping[str, Any]) -> Finding:
    where = data["where"]
    return Finding(data["expected"], data["got"], where and Where(**where))


def failed(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Return the outcomes that broke the contract."""
    return [outcome for outcome in outcomes if outcome.status == "failed"]
