"""JUnit XML, in the form that pytest writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree


@dataclass(frozen=True)
class TestCase:
    """One test and its result.

    Args:
        classname: What was tested.
        name: The test.
        seconds: How long it took.
        failure: Why it failed, in one line and in full; `None` if it did not.
        skipped: The kind of reason and the reason why it was not run; `None` if it was.
    """

    __test__ = False  # Not a test class, despite its name.

    classname: str
    name: str
    seconds: float
    failure: tuple[str, str] | None = None
    skipped: tuple[str, str] | None = None


@dataclass(frozen=True)
class Suite:
    """Tests that belong together."""

    name: str
    cases: Sequence[TestCase]


def junit(name: str, suites: Iterable[Suite]) -> str:
    """Return the text of a report; it is the same for the same run except for the times."""
    root = ElementTree.Element("testsuites", name=name)
    for suite in suites:
        _add_suite(root, suite)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _add_suite(root: ElementTree.Element, suite: Suite) -> None:
    element = ElementTree.SubElement(
        root,
        "testsuite",
        name=suite.name,
        errors="0",
        failures=str(sum(case.failure is not None for case in suite.cases)),
        skipped=str(sum(case.skipped is not None for case in suite.cases)),
        tests=str(len(suite.cases)),
        time=f"{sum(case.seconds for case in suite.cases):.3f}",
    )
    for case in suite.cases:
        _add_case(element, case)


def _add_case(suite: ElementTree.Element, case: TestCase) -> None:
    element = ElementTree.SubElement(
        suite,
        "testcase",
        classname=case.classname,
        name=case.name,
        time=f"{case.seconds:.3f}",
    )
    if case.failure is not None:
        message, text = case.failure
        ElementTree.SubElement(element, "failure", message=message).text = text
    if case.skipped is not None:
        kind, reason = case.skipped
        attributes = {"type": kind} if kind else {}
        ElementTree.SubElement(element, "skipped", {**attributes, "message": reason})
