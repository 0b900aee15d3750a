"""Generated layers have the gradients of finite differences, on two backends.

With `--every-backend`, on all three.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from compared_gradients import compared
from generated_tests import JUDGES, assert_passes
from goldens import KINDS, SUPPORT
from proofs import LAYER_PROOFS
from scaffold.conformance.backends import BACKENDS

CHECK = SUPPORT / "finite_differences.py"
CODE = ("tests/support/finite_differences.py", "tests/support/compared_gradients.py")


def generated(**_: str) -> list[Path]:
    return [folder for folders in KINDS.values() for folder in folders]


@pytest.mark.proof(*JUDGES, *CODE, *LAYER_PROOFS, generated)
@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_are_the_slopes(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.setenv("JAX_ENABLE_X64", "1")
    report = tmp_path / "report.xml"
    cases = compared(backend, pytestconfig.getoption("--every-backend"))
    chosen = " or ".join(f"[{golden}-{training}]" for golden, training in cases)
    assert assert_passes(backend, [CHECK], report, "-k", chosen).tests == len(cases)
