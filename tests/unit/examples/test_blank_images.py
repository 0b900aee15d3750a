"""The networks of the examples train on a blank image: no root of 0, no division by 0.

On Torch, which doesn't compile.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "generated_examples"
SCRIPTS = [
    path
    for path in sorted(EXAMPLES.glob("*/train_*.py"))
    if "def build_network():" in path.read_text("utf-8")
]
LEARN = """
import importlib, json, sys
from pathlib import Path
import keras
import numpy as np
learned = {}
for script in map(Path, sys.argv[1:]):
    sys.path.insert(0, str(script.parent))
    keras.utils.set_random_seed(0)
    model = importlib.import_module(script.stem).build_network()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss)
    model.train_on_batch(np.zeros((2, 8, 8, 1), "float32"), np.array([3, 7]))
    learned[script.stem] = all(bool(np.isfinite(one).all()) for one in model.get_weights())
print(json.dumps(learned))
"""


@pytest.fixture(scope="module")
def learned() -> dict[str, bool]:
    """Return whether the weights of each network are finite after a step, by script."""
    done = subprocess.run(
        [sys.executable, "-c", LEARN, *map(str, SCRIPTS)],
        env={**os.environ, "KERAS_BACKEND": "torch", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, bool] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_there_are_networks() -> None:
    assert len(SCRIPTS) >= 60


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.parent.name)
def test_learns_from_a_blank_image(script: Path, learned: dict[str, bool]) -> None:
    assert learned[script.stem]
