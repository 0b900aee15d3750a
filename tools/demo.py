"""`make demo`: generate a layer, run its tests, train a model with it on real images.

Steps that are done for the same files are not repeated; `demo/state.json` records them.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from scaffold.errors import MissingError, ScaffoldError

FOLDER = Path("demo")
COMMAND = [
    *("layer", "MyConv", "filters=64", "gain:float=1.0{>0}", "mode:enum(sum,mean)=sum"),
    *(
        "kernel_initializer=he_normal",
        "--into",
        str(FOLDER),
        "--package",
        "demo",
        "--on-conflict",
        "skip",
    ),
]
SOURCES = (FOLDER / "my_conv.py", FOLDER / "test_my_conv.py")
MODEL = FOLDER / "digits.keras"
STATE = FOLDER / "state.json"
EPOCHS = 12
SCORE_TO_BEAT = 0.95


def main() -> None:
    """Run the demo from the root of a clone."""
    _step("1. Generate a layer and its test")
    _generate()
    state = _State.read()
    _step("2. Run the generated tests")
    if state.says("tested"):
        click.echo("Skipped: they already passed for these files.")
    else:
        _run([sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", str(SOURCES[1])])
        state.note("tested", True)
    _step("3. Train a small model with it on scikit-learn's digits")
    if state.says("accuracy") and MODEL.exists():
        click.echo("Skipped: the layer has not changed since the last training.")
    else:
        state.note("accuracy", _train())
    _report(state)


class _State:
    """What is known about the current files."""

    def __init__(self, found: dict[str, Any]) -> None:
        self._found = found

    @classmethod
    def read(cls) -> _State:
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in SOURCES)).hexdigest()
        known = json.loads(STATE.read_text()) if STATE.exists() else {}
        return cls(known if known.get("files") == digest else {"files": digest})

    def says(self, key: str) -> Any:
        return self._found.get(key)

    def note(self, key: str, value: Any) -> None:
        self._found[key] = value
        STATE.write_text(json.dumps(self._found, indent=2) + "\n")


def _generate() -> None:
    click.echo(f"$ {shlex.join(['scaffold', *COMMAND])}")
    _run([sys.executable, "-m", "scaffold", *COMMAND])
    click.echo(f"{FOLDER}/")
    for path in SOURCES:
        last = path == SOURCES[-1]
        click.echo(f"{'└' if last else '├'}── {path.name}")


def _train() -> float:
    """Train and save the model, and return its accuracy on the held-out images."""
    sys.path.insert(0, str(FOLDER))
    try:
        with _silence():
            keras = importlib.import_module("keras")
            keras.ops.zeros(1)
        digits = importlib.import_module("tools.digits").load()
    except ModuleNotFoundError as error:
        raise MissingError(f"{error.name} is not installed", fix="Run `make demo`.") from None
    my_conv = importlib.import_module("my_conv")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            my_conv.MyConv(32, 3, padding="same", activation="relu"),
            my_conv.MyConv(64, 3, strides=2, padding="same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.002), loss, metrics=["accuracy"])
    batch_size = 32
    steps = EPOCHS * -(-len(digits.train_images) // batch_size)
    with click.progressbar(length=steps, label="Training", file=sys.stderr) as bar:
        step = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: bar.update(1))
        model.fit(
            digits.train_images,
            digits.train_labels,
            batch_size=batch_size,
            epochs=EPOCHS,
            verbose=0,
            callbacks=[step],
        )
    _, accuracy = model.evaluate(digits.test_images, digits.test_labels, verbose=0)
    click.echo(f"The majority-class baseline is {digits.baseline():.3f}.")
    model.save(MODEL)
    return float(accuracy)


@contextmanager
def _silence() -> Iterator[None]:
    """Hide what TensorFlow's libraries log while they start."""
    sys.stderr.flush()
    real = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(real, 2)
        os.close(real)


def _report(state: _State) -> None:
    accuracy = state.says("accuracy")
    click.echo(f"Accuracy on {click.style('held-out images', bold=True)}: {accuracy:.3f}")
    if accuracy <= SCORE_TO_BEAT:
        raise ScaffoldError(f"the accuracy is not over {SCORE_TO_BEAT}")
    _step("Where the files are")
    for path, what in zip(
        (*SOURCES, MODEL), ("the layer", "its tests", "the trained model"), strict=True
    ):
        click.echo(f"  {path!s:<24}{what}")
    click.echo("\nNext: change demo/my_conv.py, then .venv/bin/pytest demo")


def _step(title: str) -> None:
    click.echo(click.style(f"\n{title}", bold=True))


def _run(command: list[str]) -> None:
    code = subprocess.run(command, check=False).returncode
    if code:
        raise SystemExit(code)


if __name__ == "__main__":
    try:
        main()
    except ScaffoldError as error:
        click.echo(f"Error: {error.message} {error.fix}".rstrip(), err=True)
        sys.exit(error.exit_code)
