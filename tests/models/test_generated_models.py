"""Generated models run: their own tests pass on each backend, with warnings as errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.proof import GOLDENS, proofs
from test_generated import BACKENDS, outcomes, run_tests


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("template", proofs())
def test_passes_its_own_tests(backend: str, template: str, tmp_path: Path) -> None:
    first, *further = proofs()[template].goldens
    # The further variants of a template are tried on one of the backends each.
    shard = further[BACKENDS.index(backend) :: len(BACKENDS)]
    folders = [GOLDENS / name for name in (first, *shard)]
    report = tmp_path / "report.xml"
    code, output = run_tests(backend, folders, report)
    assert code == 0, output
    found = outcomes(report)
    assert found.pop("tests") >= 10 * len(folders)
    assert found == {"skipped": 0, "failures": 0, "errors": 0}
