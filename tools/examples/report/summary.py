"""The reports of a run of `verify`: JSON, and JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Sequence

from scaffold.conformance.report.view import printable
from scaffold.junit import Suite, TestCase
from scaffold.junit import junit as written
from tools.examples.verify.result import Result, Step
from tools.examples.verify.results import HOME

REPORTS = HOME / "reports"


def write_reports(results: Sequence[Result]) -> str:
    """Write both, and return text that names them."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    data = {"version": 1, "results": [result.data() for result in results]}
    files = {"verify.json": json.dumps(data, indent=1) + "\n", "verify.xml": junit(results)}
    for name, text in files.items():
        (REPORTS / name).write_text(text, encoding="utf-8")
    return " and ".join((REPORTS / name).as_posix() for name in files)


def junit(results: Sequence[Result]) -> str:
    """Return JUnit XML with a suite for each unit, and a test case for each step."""
    return written("tools.examples verify", map(_suite, results))


def _suite(result: Result) -> Suite:
    variant = f"{result.backend} {result.device}"
    cases = [_case(result.example, variant, step) for step in result.steps]
    return Suite(f"{result.example} {variant}", cases)


def _case(example: str, variant: str, step: Step) -> TestCase:
    failure = skipped = None
    if step.status == "not run":
        skipped = "", "a step before it failed"
    elif step.status != "passed":
        lines = [printable(line) for line in step.message.splitlines()]
        failure = [*lines, step.status][0], "\n".join(lines)
    return TestCase(example, f"{step.name}[{variant}]", step.seconds, failure, skipped)
