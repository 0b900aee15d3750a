"""Generated models run: their own tests pass, with warnings as errors.

The first golden of each template is an example, which `make examples` proves. Every second of the
others is tried on one backend, by turn; with `--every-backend` all of them on all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.table import on_backends
from models.proof import GOLDENS, proofs
from scaffold.examples.warm import warm_python
from test_generated import outcomes, run_tests


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_backends(metafunc, proofs())


def test_passes_its_own_tests(
    name: str, backend: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    step = 1 if pytestconfig.getoption("--every-backend") else 2
    folders = [GOLDENS / golden for golden in [*proofs()[name].goldens][1::step]]
    report = tmp_path / "report.xml"
    with warm_python([backend], {}) as python:
        code, output = run_tests(backend, folders, report, python=python)
    assert code == 0, output
    found = outcomes(report)
    assert found.pop("tests") >= 10 * len(folders)
    assert found == {"skipped": 0, "failures": 0, "errors": 0}
