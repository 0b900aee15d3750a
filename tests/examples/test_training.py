"""What is generated trains on real images past a score that always guessing misses by far."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from goldens import EXAMPLES, GOLDENS
from proofs.proof import Training, proofs

SCRIPT = """
from scaffold.examples.digits import load

digits = load()
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((8, 8, 1)), *layers()])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
model.fit(digits.train_images, digits.train_labels, epochs=15, verbose=0)
accuracy = model.evaluate(digits.test_images, digits.test_labels, verbose=0)[1]
print(accuracy, digits.baseline())
"""
TASKS = {
    **{task.golden: task for proof in proofs().values() for task in proof.training},
    "custom_layer": Training(
        "",
        "from custom_layer import CustomLayer\n"
        "def layers():\n"
        "    return [keras.layers.Flatten(), CustomLayer(64), keras.layers.ReLU(),\n"
        "            CustomLayer(10)]\n",
    ),
}


@pytest.mark.parametrize("name", TASKS)
def test_trains_past_its_score(name: str, tmp_path: Path) -> None:
    task = TASKS[name]
    folder = GOLDENS / task.golden if task.golden else EXAMPLES / name
    trained = subprocess.run(
        [sys.executable, "-c", f"import keras\n{task.source}{SCRIPT}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(folder), "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        check=True,
    )
    accuracy, baseline = map(float, trained.stdout.split())
    assert baseline < 0.2
    assert accuracy > task.score
