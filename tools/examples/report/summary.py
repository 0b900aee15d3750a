"""The reports of a run of `verify`: JSON, and JUnit's XML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from xml.etree import ElementTree

from scaffold.conformance.report.view import printable
from tools.examples.verify.result import Result
from tools.examples.verify.results import HOME

REPORTS = HOME / "reports"


def write_reports(results: Sequence[Result]) -> str:
    """Write both; the words that name them."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    data = {"version": 1, "results": [result.data() for result in results]}
    files = {"verify.json": json.dumps(data, indent=1) + "\n", "verify.xml": junit(results)}
    for name, text in files.items():
        (REPORTS / name).write_text(text, encoding="utf-8")
    return " and ".join((REPORTS / name).as_posix() for name in files)


def junit(results: Sequence[Result]) -> str:
    """A suite for each unit, a test case for each step, in the shape that pytest writes."""
    root = ElementTree.Element("testsuites", name="scaffold examples verify")
    for result in results:
        bad = sum(step.status in ("failed", "late") for step in result.steps)
        left = sum(step.status == "not run" for step in result.steps)
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=f"{result.example} {result.backend} {result.device}",
            errors="0",
            failures=str(bad),
            skipped=str(left),
            tests=str(len(result.steps)),
            time=f"{result.seconds:.3f}",
        )
        for step in result.steps:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=result.example,
                name=f"{step.name}[{result.backend} {result.device}]",
                time=f"{step.seconds:.3f}",
            )
            if step.status == "not run":
                ElementTree.SubElement(case, "skipped", message="a step before it failed")
            elif step.status != "passed":
                lines = [printable(line) for line in step.message.splitlines()]
                failure = ElementTree.SubElement(case, "failure", message=[*lines, step.status][0])
                failure.text = "\n".join(lines)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'
