"""`dense` and `conv` do, in public, what Keras's own layers do, on each backend."""

from __future__ import annotations

from pathlib import Path

import pytest

from test_generated import BACKENDS, outcomes, run_tests

CHECK = Path(__file__).parent / "drop_in" / "drop_in.py"


@pytest.mark.parametrize("backend", BACKENDS)
def test_is_a_drop_in(backend: str, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    code, output = run_tests(backend, CHECK, report)
    assert code == 0, output
    assert outcomes(report) == {"tests": 168, "skipped": 0, "failures": 0, "errors": 0}
