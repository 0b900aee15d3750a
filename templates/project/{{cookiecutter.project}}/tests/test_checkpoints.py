"""Checkpoints: written atomically, with a fallback if the last one is damaged."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from {{ cookiecutter.package }} import checkpoints
from {{ cookiecutter.package }}.checkpoints import CheckpointError, State

# Writes a checkpoint and a model with limited file sizes.
FULL = """
import json, resource, sys
from pathlib import Path
import keras
import numpy as np
from {{ cookiecutter.package }} import checkpoints

folder, limits = Path(sys.argv[1]), json.loads(sys.argv[2])
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(99)])
model.compile(keras.optimizers.Adam(), "mse")
model.train_on_batch(np.ones((4, 64), "float32"), np.ones((4, 99), "float32"))
state = checkpoints.State(2, [], [])
for limit in limits:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    for write in (
        lambda: checkpoints.save(folder, model, state),
        lambda: checkpoints.replace(folder / "best.keras", model.save),
    ):
        try:
            write()
            result = "written"
        except checkpoints.CheckpointError as error:
            result = error.message
        print(result)  # To a pipe, which has no such limit.
"""


def make_model():
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dropout(0.5, seed=1), keras.layers.Dense(2)]
    )
    model.compile(keras.optimizers.Adam(0.1), "mse")
    return model


def trained(steps=2):
    keras.utils.set_random_seed(0)
    model = make_model()
    x = np.ones((4, 3), "float32")
    for _ in range(steps):
        model.train_on_batch(x, np.zeros((4, 2), "float32"))
    return model


def state_of(epoch, model):
    logs = [{"val_loss": 1.0 / number} for number in range(1, epoch + 1)]
    return State(epoch, logs, checkpoints.seeds_of(model))


def assert_same(model, other):
    for one, two in zip(
        [*model.variables, *model.optimizer.variables],
        [*other.variables, *other.optimizer.variables],
        strict=True,
    ):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(two), one.path
        )


def test_everything_is_restored(tmp_path):
    model, other = trained(), make_model()
    checkpoints.save(tmp_path, model, state_of(3, model))
    dropped = model(np.ones((9, 3)), training=True)
    assert checkpoints.restore(tmp_path, other).epoch == 3
    assert_same(trained(), other)
    same = other(np.ones((9, 3)), training=True)
    np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (dropped, same)))


def test_a_new_training_has_no_checkpoint(tmp_path):
    assert checkpoints.restore(tmp_path, make_model()) == State()


def test_keeps_the_last_two(tmp_path):
    model = trained()
    (tmp_path / "epoch-0003-copy").mkdir()
    for epoch in (8, 9999, 10_000):
        checkpoints.save(tmp_path, model, state_of(epoch, model))
    assert [path.name for path in checkpoints.saved(tmp_path)] == ["epoch-10000", "epoch-9999"]


def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, capsys):
    model, later, other = trained(), trained(5), make_model()
    checkpoints.save(tmp_path, model, state_of(1, model))
    checkpoints.save(tmp_path, later, state_of(2, later))
    weights = tmp_path / "epoch-0002" / checkpoints.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1])
    assert checkpoints.restore(tmp_path, other).epoch == 1
    assert_same(model, other)
    assert capsys.readouterr().out == (
        f"{weights.parent} can't be used: model.keras is damaged. Resuming from epoch-0001.\n"
    )


def test_only_damaged_checkpoints(tmp_path):
    model = trained()
    checkpoints.save(tmp_path, model, state_of(1, model))
    (tmp_path / "epoch-0001" / checkpoints.STATE).write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointError, match="epoch-0001 can't be used: "):
        checkpoints.restore(tmp_path, make_model())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_full_disk_leaves_existing_files(tmp_path):
    model = trained()
    checkpoints.save(tmp_path, model, state_of(1, model))
    best = tmp_path / "best.keras"
    best.write_text("the best")
    limits = [100, 2_000, 30_000, 60_000]
    # This process may use all the memory of a GPU.
    cpu = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", FULL, tmp_path, json.dumps(limits)],
        env={**os.environ, **cpu, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{tmp_path / 'epoch-0002'} was not written: File too large",
        f"{best} was not written: File too large",
    ] * len(limits)
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.keras", "epoch-0001"]
    assert best.read_text() == "the best"
    other = make_model()
    checkpoints.restore(tmp_path, other)
    assert_same(trained(), other)


def test_a_file_is_replaced_atomically(tmp_path):
    path = tmp_path / "best.keras"
    checkpoints.replace(path, lambda staged: staged.write_text("first"))

    def fails(staged):
        staged.write_text("half")
        raise RuntimeError("the disk is full\nsays HDF5")

    with pytest.raises(CheckpointError, match=r"best.keras was not written: the disk is full$"):
        checkpoints.replace(path, fails)
    assert [file.name for file in tmp_path.iterdir()] == ["best.keras"]
    assert path.read_text() == "first"
