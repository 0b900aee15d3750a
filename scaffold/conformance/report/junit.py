"""Outcomes as JUnit's XML, in the shape that pytest writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree

from scaffold.conformance.finding import Finding, Outcome
from scaffold.conformance.report.view import grouped, page_of, place, printable


def junit(outcomes: Iterable[Outcome], here: Path) -> str:
    """A whole run: a suite for each class, case and backend, a test case for each check.

    The same run gives the same text but for the times: there is no date and no host in it.
    """
    root = ElementTree.Element("testsuites", name="scaffold check")
    for group in grouped(outcomes):
        _suite(root, group, here)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _suite(root: ElementTree.Element, group: Sequence[Outcome], here: Path) -> None:
    first = group[0]
    failures = sum(outcome.status == "failed" for outcome in group)
    passed = sum(outcome.status == "passed" for outcome in group)
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=printable(" ".join(filter(None, (first.subject, first.case, first.backend)))),
        errors="0",
        failures=str(failures),
        skipped=str(len(group) - failures - passed),
        tests=str(len(group)),
        time=_seconds(sum(outcome.seconds for outcome in group)),
    )
    for outcome in group:
        _case(suite, outcome, here)


def _case(suite: ElementTree.Element, outcome: Outcome, here: Path) -> None:
    variant = " ".join(filter(None, (outcome.case, outcome.backend)))
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=printable(outcome.subject.replace(":", ".")),
        name=printable(f"{outcome.check}[{variant}]"),
        time=_seconds(outcome.seconds),
    )
    reason = printable(outcome.reason)
    match outcome.status:
        case "failed":
            messages = [_message(finding) for finding in outcome.findings]
            failure = ElementTree.SubElement(case, "failure", message="; ".join(messages))
            failure.text = _text(outcome, here)
        case "expected":
            ElementTree.SubElement(case, "skipped", type="scaffold.expected", message=reason)
        case "not_applicable" | "not_run_here" | "blocked":
            type_ = f"scaffold.{outcome.status}"
            ElementTree.SubElement(case, "skipped", type=type_, message=reason)


def _text(outcome: Outcome, here: Path) -> str:
    page = page_of(outcome)
    lines = [page.title]
    for finding in outcome.findings:
        at = f"{place(finding.where, here)}: " if finding.where else ""
        lines.append(f"{at}{_message(finding)}")
    return "\n".join([*lines, *filter(None, (page.why, page.fix))])


def _message(finding: Finding) -> str:
    return printable(f"expected {finding.expected}, got {finding.got}")


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
