"""Orders tests so that the first few find most mutants."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import pytest
from mutmut.state import state

# The fresh processes that tests start are forks, if there is a server for them.
sys.executable = os.environ.get("WARM_PYTHON", sys.executable)
_FINDERS = Path(__file__).with_name("finders.txt")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run tests first that found other mutants of the function, then the fast ones.

    mutmut passes them in arbitrary order.
    """
    lines = _FINDERS.read_text().splitlines() if _FINDERS.exists() else []
    function, seconds = f"{_function()} ", state().duration_by_test
    here = Counter(line.removeprefix(function) for line in lines if line.startswith(function))
    items.sort(key=lambda item: (-here[item.nodeid], seconds.get(item.nodeid, 0.0)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record which test finds a mutant."""
    if report.failed:
        with _FINDERS.open("a") as file:
            file.write(f"{_function()} {report.nodeid}\n")


def _function() -> str:
    """Return the name of the mutated function under test."""
    return os.environ.get("MUTANT_UNDER_TEST", "").rpartition("__mutmut_")[0]
