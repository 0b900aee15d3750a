"""What is generated has the gradients that finite differences give, on each backend."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldens import KINDS
from test_generated import BACKENDS, outcomes, run_tests

CHECK = Path(__file__).parent / "gradients" / "finite_differences.py"


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_are_the_slopes(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAX_ENABLE_X64", "1")
    report = tmp_path / "report.xml"
    code, output = run_tests(backend, [CHECK], report)
    assert code == 0, output
    found = outcomes(report)
    assert found.pop("tests") >= 2 * len(KINDS)
    assert found == {"skipped": 0, "failures": 0, "errors": 0}
