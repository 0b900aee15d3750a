"""Outcomes as data, for `--json`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from scaffold.conformance.finding import Finding, Outcome, failed
from scaffold.conformance.registry import Check
from scaffold.conformance.report.view import Page, page_of, path_of


def run_data(
    outcomes: Sequence[Outcome], notes: Iterable[str], backends: Sequence[str], here: Path
) -> dict[str, Any]:
    """Return the data of a whole run; paths below the folder `here` are relative to it."""
    return {
        "clean": not failed(outcomes),
        "backends": list(backends),
        "subjects": list(dict.fromkeys(outcome.subject for outcome in outcomes)),
        "notes": list(notes),
        "outcomes": [_outcome(outcome, here) for outcome in outcomes],
    }


def listed_data(checks: Iterable[Check]) -> dict[str, Any]:
    """Return the data of checks in the order they run, without their pages."""
    return {"checks": [_heading(check) for check in checks]}


def page_data(check: Check) -> dict[str, Any]:
    """Return the data of the page of one check."""
    return _heading(check) | {"why": check.why, "fix": check.fix, "example": check.example}


def _heading(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "family": check.family,
        "title": check.title,
        "target": check.target,
        "tag": check.tag or None,
        "needs": list(check.needs),
    }


def _outcome(outcome: Outcome, here: Path) -> dict[str, Any]:
    page = page_of(outcome)
    return {
        "subject": outcome.subject,
        "case": outcome.case,
        "backend": outcome.backend,
        "check": outcome.check,
        "title": page.title,
        "status": outcome.status,
        "reason": outcome.reason,
        "seconds": round(outcome.seconds, 3),
        "findings": [_finding(finding, page, here) for finding in outcome.findings],
    }


def _finding(finding: Finding, page: Page, here: Path) -> dict[str, Any]:
    where = finding.where
    return {
        "expected": finding.expected,
        "got": finding.got,
        "path": where and path_of(where, here),
        "line": where and where.line,
        "why": page.why,
        "fix": page.fix,
    }
