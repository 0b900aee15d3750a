"""Training: it learns, it is reproducible, and it resumes after a kill without a difference."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, replace

import keras
import numpy as np
import pytest

from {{ cookiecutter.package }}.config import Config, ConfigError, OptimizerConfig
from {{ cookiecutter.package }}.data import Batches, load_data
from {{ cookiecutter.package }}.training import make_optimizer, train

CONFIG = Config(epochs=3, batch_size=128)
CPU = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
# Kills the process at a step of an epoch, or while one of its files is written.
KILLED = """
import json, os, signal, sys
from pathlib import Path
import keras
from {{ cookiecutter.package }} import checkpoints, training
from {{ cookiecutter.package }}.config import Config, read

config, folder, epoch, step = sys.argv[1:]

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

class Kill(keras.callbacks.Callback):
    def on_epoch_begin(self, now, logs=None):
        self.now = now
        if now == int(epoch) and step == "best.keras":
            checkpoints.sync = kill
        if now == int(epoch) and step == "checkpoint":
            checkpoints.digest = kill

    def on_train_batch_end(self, batch, logs=None):
        if self.now == int(epoch) and str(batch) == step:
            kill()

config = read(Config, json.loads(config))
training.train(config, Path(folder), callbacks=[Kill()], verbose=0)
"""


def killed(config, folder, epoch, step):
    """Train in a process that is killed at that step of the epoch."""
    table = asdict(config)
    table["optimizer"] = {k: v for k, v in table["optimizer"].items() if v is not None}
    words = [sys.executable, "-c", KILLED, json.dumps(table), folder, str(epoch), str(step)]
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(words, env={**os.environ, **CPU, **path}, check=False)
    assert done.returncode == -signal.SIGKILL


def weights(folder, name="final.keras"):
    return keras.models.load_model(folder / name).get_weights()


def assert_same_run(folder, other):
    for name in ("final.keras", "best.keras"):
        for one, two in zip(weights(folder, name), weights(other, name), strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)
    tables = []
    for run in (folder, other):
        with (run / "log.csv").open(encoding="utf-8") as file:
            tables.append([{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)])
    assert [row["epoch"] for row in tables[0]] == [row["epoch"] for row in tables[1]]
    np.testing.assert_allclose(*([[*row.values()] for row in table] for table in tables), rtol=1e-4)


@pytest.fixture(autouse=True, scope="module")
def on_the_cpu():
    """Train on the CPU, which is deterministic, unlike a GPU."""
    with keras.device("cpu"):
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder and the state of a training that was not interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, train(CONFIG, folder, verbose=0)


def test_learns(tmp_path):
    state = train(Config(epochs=8), tmp_path, verbose=0)
    assert max(logs["val_accuracy"] for logs in state.logs) > 0.9


def test_the_same_seed_gives_the_same_curve(whole, tmp_path):
    assert train(CONFIG, tmp_path, verbose=0).logs == whole[1].logs
    other = train(replace(CONFIG, seed=1), tmp_path / "other", verbose=0)
    assert other.logs != whole[1].logs


@pytest.mark.parametrize("step", [0, 7, "best.keras", "checkpoint"])
def test_resumes_after_a_kill(whole, tmp_path, step):
    killed(CONFIG, tmp_path, 1, step)
    assert train(CONFIG, tmp_path, resume=True, verbose=0).logs[0] == whole[1].logs[0]
    assert_same_run(tmp_path, whole[0])


def test_each_epoch_has_its_own_order(tmp_path, monkeypatch):
    seen, set_epoch = [], Batches.set_epoch

    def noted(self, epoch):
        seen.append(epoch)
        set_epoch(self, epoch)

    monkeypatch.setattr(Batches, "set_epoch", noted)
    train(replace(CONFIG, epochs=2), tmp_path, verbose=0)
    assert seen[-2:] == [0, 1]


@pytest.mark.parametrize("accumulated", [None, 2])
def test_the_rate_rises_in_the_warm_up_and_falls_to_the_end(accumulated):
    optimizer = OptimizerConfig(
        learning_rate=0.5, warmup_epochs=1, gradient_accumulation_steps=accumulated
    )
    rate_after = rates(make_optimizer(Config(epochs=3, optimizer=optimizer), steps=10))
    measured = [rate_after(steps) for steps in (0, 5, 10, 20, 30)]
    np.testing.assert_allclose(measured, [0, 0.25, 0.5, 0.25, 0], atol=1e-6)


def test_a_constant_rate():
    optimizer = OptimizerConfig(learning_rate=0.5, schedule="constant", warmup_epochs=0)
    rate_after = rates(make_optimizer(Config(epochs=3, optimizer=optimizer), steps=10))
    assert [rate_after(steps) for steps in (0, 15, 30)] == [0.5, 0.5, 0.5]


def rates(optimizer):
    """Return a function from the number of finished steps to the rate of an optimizer."""
    weight = keras.Variable([1.0])
    optimizer.build([weight])
    after = {}
    for done in range(31):
        after[done] = float(optimizer.learning_rate)
        optimizer.apply([keras.ops.ones(1)])
    return after.__getitem__


def test_resumes_the_state_of_the_optimizer(tmp_path):
    optimizer = OptimizerConfig(global_clipnorm=1.0, gradient_accumulation_steps=2, use_ema=True)
    config = replace(CONFIG, epochs=2, optimizer=optimizer)
    train(config, tmp_path / "whole", verbose=0)
    # The schedule is for two epochs.
    killed(config, tmp_path / "killed", 1, 0)
    train(config, tmp_path / "killed", resume=True, verbose=0)
    assert_same_run(tmp_path / "killed", tmp_path / "whole")


def test_early_stopping_resumes_and_keeps_the_best(tmp_path):
    # At this rate, nothing is learned after the first epoch.
    config = Config(
        epochs=6,
        batch_size=256,
        optimizer=OptimizerConfig(learning_rate=1e3, warmup_epochs=0),
        early_stopping=replace(Config().early_stopping, patience=3),
    )
    whole = train(config, tmp_path / "whole", verbose=0)
    assert whole.stopped and whole.epoch < 6
    best = keras.models.load_model(tmp_path / "whole/best.keras")
    loss, _ = best.evaluate(*load_data().validation, verbose=0)
    least = min(logs["val_loss"] for logs in whole.logs)
    np.testing.assert_allclose(loss, least, rtol=1e-3)
    killed(config, tmp_path / "killed", whole.epoch - 1, 0)
    assert train(config, tmp_path / "killed", resume=True, verbose=0).epoch == whole.epoch
    again = train(config, tmp_path / "whole", resume=True, verbose=0)
    assert again.epoch == whole.epoch


class Breaks(keras.callbacks.Callback):
    """Makes the loss of the first epoch NaN."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            logs["val_loss"] = float("nan")


def test_nan_is_never_the_best(whole, tmp_path):
    config = replace(CONFIG, early_stopping=replace(CONFIG.early_stopping, patience=1))
    state = train(config, tmp_path, callbacks=[Breaks()], verbose=0)
    assert state.epoch == 3 and not state.stopped
    assert state.best("val_loss") == state.logs[2]
    for one, two in zip(weights(tmp_path, "best.keras"), weights(whole[0]), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)


def test_mixed_precision(tmp_path):
    state = train(replace(CONFIG, epochs=1, dtype_policy="mixed_bfloat16"), tmp_path, verbose=0)
    assert np.isfinite(state.logs[0]["val_loss"])
    model = keras.models.load_model(tmp_path / "best.keras")
    assert model.dtype_policy.name == "mixed_bfloat16"


def test_a_run_is_not_overwritten(whole):
    with pytest.raises(ConfigError, match="already has a run: add --resume"):
        train(CONFIG, whole[0], verbose=0)


def test_a_run_resumes_with_the_same_configuration(whole):
    with pytest.raises(ConfigError, match="was started with another `batch_size`: 128"):
        train(replace(CONFIG, batch_size=64), whole[0], resume=True, verbose=0)


def test_a_run_whose_configuration_is_lost(whole, tmp_path):
    shutil.copytree(whole[0] / "checkpoints", tmp_path / "checkpoints")
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"config.json can't be read: .*Choose another folder$"):
        train(CONFIG, tmp_path, resume=True, verbose=0)


def test_a_longer_run_is_saved(whole, tmp_path):
    shutil.copytree(whole[0], tmp_path / "run")
    train(replace(CONFIG, epochs=4), tmp_path / "run", resume=True, verbose=0)
    assert json.loads((tmp_path / "run/config.json").read_text(encoding="utf-8"))["epochs"] == 4


def test_the_folder_of_a_run(whole):
    assert sorted(path.name for path in whole[0].iterdir()) == [
        "best.keras",
        "checkpoints",
        "config.json",
        "final.keras",
        "log.csv",
        "tensorboard",
    ]
    assert any((whole[0] / "tensorboard").rglob("events.*"))
