"""The training scripts run at once, on real data, past a score that a trivial guess misses."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.proof import GOLDENS, commands, proofs
from scaffold.attributes.grammar import Assignment, Declaration, read_attribute
from scaffold.catalog import Catalog
from scaffold.spec import Request, make_spec
from scaffold.template import Training
from test_generated import BACKENDS

SCORE = re.compile(r"^(?P<metric>.+): (?P<score>[\d.]+) \([^:]+: (?P<baseline>[\d.]+)\)$")


def task(words: list[str]) -> Training | None:
    """What the script of the model that these words ask for learns."""
    catalog = Catalog.builtin()
    name, *others = words
    options = dict(word.removeprefix("--").split("=") for word in others if word.startswith("--"))
    template = options.pop("template", None)
    given: list[Assignment | Declaration] = [
        read_attribute(word) for word in others if not word.startswith("--")
    ]
    request = Request("model", name, template, options=options, attributes=tuple(given))
    spec, _ = make_spec(catalog, request, "golden")
    return catalog.get("model", spec.template).training_for(spec.options)


TASKS = {
    name: training
    for name, (_, *words) in commands().items()
    if (training := task(words)) is not None and not name.endswith("_with_attributes")
}


@pytest.mark.parametrize(("number", "name"), list(enumerate(TASKS)), ids=[*TASKS])
def test_trains_past_its_score(number: int, name: str, tmp_path: Path) -> None:
    folder = shutil.copytree(GOLDENS / name, tmp_path / name)
    (script,) = folder.glob("train_*.py")
    trained = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", script.name],
        cwd=folder,
        env={**os.environ, "KERAS_BACKEND": BACKENDS[number % 3], "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert trained.returncode == 0, trained.stdout + trained.stderr
    found = SCORE.match(trained.stdout.splitlines()[-1])
    assert found is not None, trained.stdout
    bound, score, baseline = TASKS[name].bound, float(found["score"]), float(found["baseline"])
    assert found["metric"] == TASKS[name].metric
    # Past the bound, and the bound itself is far from what a trivial guess gets.
    if TASKS[name].lower:
        assert score < bound < 0.9 * baseline
    else:
        assert score > bound > 1.2 * baseline
    module = script.stem.removeprefix("train_")
    assert (folder / f"{module}.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / f"{module}.keras").stat().st_size > 1000


def test_every_template_trains() -> None:
    assert {name for name, proof in proofs().items() if not {*proof.goldens} & {*TASKS}} == set()
