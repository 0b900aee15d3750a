"""Each drop-in has the public behavior of its built-in, on two backends.

Its proof may add more; with `--every-backend`, on all three.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Warm
from generated_tests import JUDGES, assert_passes
from goldens import SHARDS, SUPPORT, backends_of, besides, layers_of
from proofs import LAYER_PROOFS, proofs

CHECK = SUPPORT / "drop_in.py"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    every = metafunc.config.getoption("--every-backend")
    cases = [
        pytest.param(templates, backend, id=f"{', '.join(templates)}-{backend}")
        for turn, templates in enumerate(SHARDS)
        for backend in backends_of(turn, every)
    ]
    cases += [
        pytest.param([name], backend, id=f"{name}-{backend}") for name, backend in besides(every)
    ]
    metafunc.parametrize(("templates", "backend"), cases)


@pytest.mark.proof(*JUDGES, "tests/support/drop_in.py", *LAYER_PROOFS, layers_of)
def test_is_a_drop_in(templates: list[str], backend: str, warm: Warm, tmp_path: Path) -> None:
    drop_ins = [one for name in templates for one in proofs("layer")[name].drop_ins]
    assert drop_ins
    report = tmp_path / "report.xml"
    chosen = " or ".join(f"{one.name}]" for one in drop_ins)
    chosen += "".join(f" or {one.name}-" for one in drop_ins)
    tested = assert_passes(backend, [CHECK], report, "-k", chosen, python=warm(backend))
    assert tested.tests == sum(one.cases + 3 for one in drop_ins)
