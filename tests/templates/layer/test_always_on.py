"""Templates that can fail on one backend alone are always tested there: see `Proof.always_on`."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Warm
from generated_tests import assert_passes
from goldens import KINDS
from proofs import proofs

CASES = [(backend, name) for name, proof in proofs("layer").items() for backend in proof.always_on]


@pytest.mark.parametrize(("backend", "template"), CASES)
def test_passes_its_own_tests(backend: str, template: str, warm: Warm, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    tested = assert_passes(backend, KINDS[template], report, python=warm(backend))
    assert tested.tests >= 10 * len(KINDS[template])


def test_templates_that_assign_in_a_call_are_tested_on_jax() -> None:
    assert {name for backend, name in CASES if backend == "jax"} == {"recurrent", "wrapper"}
