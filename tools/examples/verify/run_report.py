"""Reads the report of a run of generated tests."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

# The start of the skip reason of generated tests on a processor that lacks an operation.
_NOT_HERE = "TensorFlow needs oneDNN or XLA"


@dataclass(frozen=True)
class RunReport:
    """The outcome of the tests of a run.

    Args:
        tests: The number of tests.
        not_here: Tests that this processor can't run.
        bad: Tests that failed, or were skipped for another reason.
    """

    tests: int
    not_here: tuple[str, ...]
    bad: tuple[str, ...]


def read_report(report: Path, backend: str) -> RunReport:
    """Read the JUnit report of a pytest run on a backend."""
    root = ET.parse(report).getroot()  # noqa: S314 - written by our own process
    cases = [*root.iter("testcase")]
    not_here = [case for case in cases if backend == "tensorflow" and _is_not_here(case)]
    bad = [case for case in cases if len(case) and case not in not_here]
    return RunReport(len(cases), _names(not_here), _names(bad))


def _is_not_here(case: ET.Element) -> bool:
    return [child.tag for child in case] == ["skipped"] and case[0].get("message", "").startswith(
        _NOT_HERE
    )


def _names(cases: list[ET.Element]) -> tuple[str, ...]:
    return tuple(str(case.get("name")) for case in cases)
