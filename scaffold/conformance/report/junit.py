"""Outcomes as JUnit XML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from scaffold.conformance.finding import Finding, Outcome
from scaffold.conformance.report.view import grouped, page_of, place, printable
from scaffold.junit import Suite, TestCase
from scaffold.junit import junit as written


def junit(outcomes: Iterable[Outcome], here: Path) -> str:
    """Return a whole run: a suite for each class, case and backend, a test case for each check.

    The same run gives the same text except for times: it contains no date and no host.
    """
    return written("scaffold check", [_suite(group, here) for group in grouped(outcomes)])


def _suite(group: Sequence[Outcome], here: Path) -> Suite:
    first = group[0]
    name = " ".join(filter(None, (first.subject, first.case, first.backend)))
    return Suite(printable(name), [_case(outcome, here) for outcome in group])


def _case(outcome: Outcome, here: Path) -> TestCase:
    variant = " ".join(filter(None, (outcome.case, outcome.backend)))
    failure = skipped = None
    if outcome.status == "failed":
        messages = [_message(finding) for finding in outcome.findings]
        failure = "; ".join(messages), _text(outcome, here)
    elif outcome.status != "passed":
        skipped = f"scaffold.{outcome.status}", printable(outcome.reason)
    return TestCase(
        printable(outcome.subject.replace(":", ".")),
        printable(f"{outcome.check}[{variant}]"),
        outcome.seconds,
        failure,
        skipped,
    )


def _text(outcome: Outcome, here: Path) -> str:
    page = page_of(outcome)
    lines = [page.title]
    for finding in outcome.findings:
        at = f"{place(finding.where, here)}: " if finding.where else ""
        lines.append(f"{at}{_message(finding)}")
    return "\n".join([*lines, *filter(None, (page.why, page.fix))])


def _message(finding: Finding) -> str:
    return printable(f"expected {finding.expected}, got {finding.got}")
