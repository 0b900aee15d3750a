"""Generated models run: their own tests pass, with warnings as errors, and they keep the contract.

Each template is tried on one backend, by turn, with its plain golden and every second other one;
with `--every-backend` all of them on all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.table import on_backends
from fresh_keras import server
from models.proof import GOLDENS, proofs
from scaffold.conformance import Outcome, checks
from scaffold.conformance.finding import failed
from scaffold.conformance.process.session import Request, run_session
from test_generated import outcomes, run_tests


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_backends(metafunc, proofs())


def test_passes_its_own_tests(
    name: str, backend: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    step = 1 if pytestconfig.getoption("--every-backend") else 2
    folders = [GOLDENS / golden for golden in [*proofs()[name].goldens][::step]]
    report = tmp_path / "report.xml"
    with server(backend) as more:
        code, output = run_tests(backend, folders, report, "-p", "fresh_keras", **more)
    assert code == 0, output
    found = outcomes(report)
    assert found.pop("tests") >= 10 * len(folders)
    assert found == {"skipped": 0, "failures": 0, "errors": 0}


def test_keeps_the_contract(name: str, backend: str) -> None:
    folder = GOLDENS / next(iter(proofs()[name].goldens))
    request = Request((str(folder),), (backend,), tuple(check.id for check in checks()))
    found = [event for event in run_session(request) if isinstance(event, Outcome)]
    assert failed(found) == []
    # What a manifest's case declares by a tag is expected, and nothing else.
    statuses = {outcome.status for outcome in found} - {"expected"}
    assert statuses == {"passed", "not_applicable"}
