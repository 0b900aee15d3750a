"""`make bench`: from nothing to the first training step of a project, as ratios within one run.

It is compared with the minimum: plain cookiecutter, and a bare script that trains a network of
the same layers on the same data for one step.
"""

from __future__ import annotations

import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import scaffold
from benchmarks.timing import compare

RUNS = 9
STEPS = 5  # runs of a first step, which take seconds
BACKENDS = ("tensorflow", "jax", "torch")
SCAFFOLD = str(Path(sysconfig.get_path("scripts")) / "scaffold")
REPOSITORY = str(Path(scaffold.__file__).parents[1])
PLAIN = [sys.executable, "-m", "cookiecutter", REPOSITORY, "--directory", "templates/project"]
FIRST_STEP = """
import os, subprocess, sys
from pathlib import Path

subprocess.run([sys.argv[1], "project", "net", f"backend={sys.argv[2]}", "--no-input"], check=True)
os.chdir("net")
sys.path.insert(0, "src")
import net
import keras
from net import config, training

class Stop(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        os._exit(0)

training.train(config.load_config(Path("config.toml")), Path("runs"), callbacks=[Stop()])
"""
BARE = """
import keras
from sklearn.datasets import load_digits

images, labels = load_digits(return_X_y=True)
model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
        keras.layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(10),
    ]
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile("adamw", loss, metrics=["accuracy"])
model.fit(images.reshape(-1, 8, 8, 1) / 16, labels, steps_per_epoch=1)
"""


def rows() -> Iterator[tuple[str, float, float, float]]:
    """Yield what is compared, our seconds, the others', and the highest ratio allowed."""
    with tempfile.TemporaryDirectory() as home:
        variables = {"HOME": home}
        ours = [SCAFFOLD, "project", "my_project", "--no-input"]
        project, plain = compare(ours, [*PLAIN, "--no-input"], RUNS, variables)
    yield "scaffold project / cookiecutter", project.seconds, plain.seconds, 1.6
    for backend in BACKENDS:
        ours = [sys.executable, "-c", FIRST_STEP, SCAFFOLD, backend]
        bare = [sys.executable, "-c", BARE]
        step, script = compare(ours, bare, STEPS, {"KERAS_BACKEND": backend})
        yield f"to the first step, {backend} / bare", step.seconds, script.seconds, 2.0


def main() -> int:
    """Print the table, and return 1 if a bound is exceeded."""
    print(f"{RUNS} runs each, {STEPS} of those that train, in turn; medians")
    over = False
    for title, ours, others, bound in rows():
        verdict = "ok" if ours / others <= bound else "over"
        over |= verdict == "over"
        print(
            f"{title:<36} {ours:5.2f} s, {others:5.2f} s {ours / others:6.2f} x   "
            f"at most {bound:g}  {verdict}"
        )
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
