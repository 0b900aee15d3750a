"""Generated models run: their own tests pass, with warnings as errors.

The first golden of each template is an example, which `make examples` verifies. Every second of the
others is tested on one backend, in turn; with `--every-backend`, all of them on all backends.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.table import on_backends
from conftest import Warm
from generated_tests import JUDGES, assert_passes
from goldens import GOLDENS
from proofs import proofs


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_backends(metafunc, proofs("model"))


def folders_of(name: str, **_: str) -> list[Path]:
    return [GOLDENS / golden for golden in proofs("model")[name].goldens]


@pytest.mark.proof(*JUDGES, folders_of)
def test_passes_its_own_tests(
    name: str, backend: str, warm: Warm, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    step = 1 if pytestconfig.getoption("--every-backend") else 2
    folders = folders_of(name)[1::step]
    tested = assert_passes(backend, folders, tmp_path / "report.xml", python=warm(backend))
    assert tested.tests >= 10 * len(folders)
