"""The training scripts run on real data, and pass a score that a baseline misses.

The first task of each template is that of an example, which `make examples` verifies. Every fourth
of the others runs; with `--every-backend`, all of them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from goldens import GOLDENS, ROOT, commands, first_goldens, spec_of
from proofs import proofs
from scaffold.conformance.backends import BACKENDS
from scaffold.generation.catalog import Catalog
from scaffold.generation.template import Training

MANIFESTS = ROOT / "templates/model"
SCORE = re.compile(r"^(?P<metric>.+): (?P<score>[\d.]+) \([^:]+: (?P<baseline>[\d.]+)\)$")


def task(golden: str) -> tuple[str, Training | None]:
    """Return the template of a golden, and the task of its script."""
    spec = spec_of(golden)
    return spec.template, Catalog.builtin().get("model", spec.template).training_for(spec.options)


def tasks() -> Iterator[tuple[str, Training]]:
    """Return each task of each template, with its first golden: styles share their tasks."""
    seen = []
    for name in commands("model"):
        found = task(name)
        if found[1] is not None and found not in seen and not name.endswith("_with_attributes"):
            seen.append(found)
            yield name, found[1]


TASKS = dict(tasks())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "number" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-backend")
        others = [name for name in TASKS if name not in first_goldens()]
        chosen = others if every else others[::4]
        ids = [f"{name}-{BACKENDS[number % 3]}" for number, name in enumerate(chosen)]
        metafunc.parametrize(("number", "name"), [*enumerate(chosen)], ids=ids)


def files_of(name: str, **_: int) -> list[Path]:
    return [GOLDENS / name, MANIFESTS / task(name)[0] / "template.toml"]


@pytest.mark.proof("templates/_manifests", files_of)
def test_trains_past_its_bound(number: int, name: str, tmp_path: Path) -> None:
    folder = shutil.copytree(GOLDENS / name, tmp_path / name)
    (script,) = folder.glob("train_*.py")
    # Compile as for users: the quick compilation of the other tests would slow down training.
    environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    trained = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", script.name],
        cwd=folder,
        env={
            **environment,
            "KERAS_BACKEND": BACKENDS[number % 3],
            "TF_CPP_MIN_LOG_LEVEL": "3",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert trained.returncode == 0, trained.stdout + trained.stderr
    found = SCORE.match(trained.stdout.splitlines()[-1])
    assert found is not None, trained.stdout
    bound, score, baseline = TASKS[name].bound, float(found["score"]), float(found["baseline"])
    assert found["metric"] == TASKS[name].metric
    # The score passes the bound, which is far from the baseline.
    if TASKS[name].lower:
        assert score < bound < 0.9 * baseline
    else:
        assert score > bound > 1.2 * baseline
    module = script.stem.removeprefix("train_")
    assert (folder / f"{module}.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / f"{module}.keras").stat().st_size > 1000


def test_every_template_trains() -> None:
    assert {
        name for name, proof in proofs("model").items() if not {*proof.goldens} & {*TASKS}
    } == set()
