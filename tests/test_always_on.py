"""What goes wrong on one backend alone is tried there whatever the turn: see `Proof.always_on`."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldens import KINDS
from proofs.proof import proofs
from scaffold.examples.warm import warm_python
from test_generated import outcomes, run_tests

CASES = [(backend, name) for name, proof in proofs().items() for backend in proof.always_on]


@pytest.mark.parametrize(("backend", "template"), CASES)
def test_passes_its_own_tests(backend: str, template: str, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    with warm_python([backend], {}) as python:
        code, output = run_tests(backend, KINDS[template], report, python=python)
    assert code == 0, output
    found = outcomes(report)
    assert found.pop("tests") >= 10 * len(KINDS[template])
    assert found == {"skipped": 0, "failures": 0, "errors": 0}


def test_what_assigns_in_a_call_is_tried_on_jax() -> None:
    assert {name for backend, name in CASES if backend == "jax"} == {"recurrent", "wrapper"}
