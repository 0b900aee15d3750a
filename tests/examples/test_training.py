"""What is generated trains on real images past a score that always guessing misses by far."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from goldens import EXAMPLES, GOLDENS
from proofs.proof import Training, proofs

SCRIPT = """
import json, sys
import keras
from scaffold.examples.digits import load

digits = load()
for source in json.loads(sys.argv[1]):
    given = {"keras": keras, "digits": digits}
    exec(source, given)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8, 8, 1)), *given["layers"]()])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    model.fit(digits.train_images, digits.train_labels, epochs=15, verbose=0)
    print(model.evaluate(digits.test_images, digits.test_labels, verbose=0)[1])
print(digits.baseline())
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
# Tasks of one process, which imports Keras once.
SHARDS = [[*TASKS][first::6] for first in range(6)]


@pytest.mark.parametrize("names", SHARDS, ids=", ".join)
def test_trains_past_its_score(names: list[str]) -> None:
    tasks = [TASKS[name] for name in names]
    folders = [
        GOLDENS / task.golden if task.golden else EXAMPLES / "custom_layer" for task in tasks
    ]
    trained = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps([task.source for task in tasks])],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, folders)),
            "KERAS_BACKEND": "tensorflow",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    *scores, baseline = map(float, trained.stdout.split())
    assert baseline < 0.2
    found = dict(zip(names, zip(scores, tasks, strict=True), strict=True))
    assert {name: score for name, (score, task) in found.items() if score <= task.score} == {}
