"""What is generated trains on real images past a score that always guessing misses by far."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from goldens import EXAMPLES, GOLDENS

SCORE_TO_BEAT = 0.9
SCRIPT = """
import keras
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
LAYERS = {
    "dense": (
        GOLDENS / "dense",
        "from my_dense import MyDense\n"
        "def layers():\n"
        "    return [keras.layers.Flatten(), MyDense(64, activation='relu'), MyDense(10)]\n",
    ),
    "conv1d": (
        GOLDENS / "conv1d",
        "from my_conv1d import MyConv1D\n"
        "def layers():\n"
        "    return [keras.layers.Reshape((8, 8)), MyConv1D(64, 3, padding='causal'),\n"
        "            keras.layers.ReLU(), keras.layers.Flatten(), keras.layers.Dense(10)]\n",
    ),
    "conv3d": (
        GOLDENS / "conv3d",
        "from my_conv3d import MyConv3D\n"
        "def layers():\n"
        "    return [keras.layers.Reshape((2, 4, 8, 1)), MyConv3D(16, 2, activation='relu'),\n"
        "            keras.layers.Flatten(), keras.layers.Dense(10)]\n",
    ),
    "projection": (
        EXAMPLES / "custom_layer",
        "from custom_layer import CustomLayer\n"
        "def layers():\n"
        "    return [keras.layers.Flatten(), CustomLayer(64), keras.layers.ReLU(),\n"
        "            CustomLayer(10)]\n",
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_trains_past_its_score(name: str, tmp_path: Path) -> None:
    folder, layers = LAYERS[name]
    trained = subprocess.run(
        [sys.executable, "-c", layers + SCRIPT],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(folder), "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        check=True,
    )
    accuracy, baseline = map(float, trained.stdout.split())
    assert baseline < 0.2
    assert accuracy > SCORE_TO_BEAT
