"""Checkpoints: all that is needed to resume a training, written atomically.

`checkpoints/epoch-0003/` holds the model and its optimizer after three epochs, and `state.json`
with the rest. A folder gets its name once all of it is on disk, so a process may be killed at any
time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click
import keras

# Writing HDF5 to a full disk may crash; for a `.keras` file, Keras creates it in memory.
WEIGHTS = "model.keras"
STATE = "state.json"
KEPT = 2  # The second to last is the fallback if the last is damaged.


class CheckpointError(click.ClickException):
    """A checkpoint that can't be written or read."""


@dataclass(frozen=True)
class State:
    """The progress of a training.

    Args:
        epoch: Number of finished epochs.
        logs: Metrics of each finished epoch.
        seeds: The states of the model's seed generators.
        stopped: Whether early stopping has ended the training.
    """

    epoch: int = 0
    logs: list[dict[str, float]] = field(default_factory=list)
    seeds: list[list[int]] = field(default_factory=list)
    stopped: bool = False

    def best(self, monitor):
        """Return the logs with the lowest value so far, or `None` if none is finite."""
        finite = [logs for logs in self.logs if math.isfinite(logs[monitor])]
        return min(finite, key=lambda logs: logs[monitor], default=None)


def save(folder: Path, model: keras.Model, state: State) -> None:
    """Write a checkpoint, and remove old ones.

    Raises:
        CheckpointError: If it can't be written; earlier ones are unchanged.
    """
    final = folder / f"epoch-{state.epoch:04d}"
    staged = folder / f".{final.name}"
    try:
        with writing(final):
            shutil.rmtree(staged, ignore_errors=True)
            staged.mkdir(parents=True)
            model.save(staged / WEIGHTS)
            data = {**asdict(state), "sha256": digest(staged / WEIGHTS)}
            (staged / STATE).write_text(json.dumps(data), encoding="utf-8")
            for file in staged.iterdir():
                sync(file)
            shutil.rmtree(final, ignore_errors=True)
            staged.rename(final)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    for old in saved(folder)[KEPT:]:
        shutil.rmtree(old)


def restore(folder: Path, model: keras.Model) -> State:
    """Restore a built and compiled model from the last good checkpoint.

    Returns:
        The state of that checkpoint, or a new one if there is no checkpoint.

    Raises:
        CheckpointError: If there are checkpoints, but none can be read.
    """
    problems = []
    for path in saved(folder):
        try:
            state = load(path, model)
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason, *_ = str(error).partition("\n")
            problems.append(f"{path} can't be used: {reason}")
            continue
        for problem in problems:
            print(f"{problem}. Resuming from {path.name}.")
        return state
    if problems:
        raise CheckpointError(problems[0])
    return State()


def load(path: Path, model: keras.Model) -> State:
    """Load one checkpoint into the model."""
    data = json.loads((path / STATE).read_text(encoding="utf-8"))
    if data.pop("sha256") != digest(path / WEIGHTS):
        raise ValueError(f"{WEIGHTS} is damaged")
    state = State(**data)
    model.optimizer.build(model.trainable_variables)
    model.load_weights(path / WEIGHTS)
    for generator, seed in zip(seed_generators(model), state.seeds, strict=True):
        generator.assign(seed)
    return state


def saved(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, latest first; copies under other names are ignored."""
    found = [path for path in folder.glob("epoch-*") if path.name[6:].isdecimal()]
    return sorted(found, key=epoch_of, reverse=True)


def epoch_of(path: Path) -> int:
    """Return the epoch that a checkpoint was written after."""
    return int(path.name[6:])


def last_epoch(folder: Path) -> int:
    """Return the epoch of the last checkpoint in a folder, or 0 if there is none."""
    return max(map(epoch_of, saved(folder)), default=0)


def seed_generators(model):
    """Return the states of the seed generators, which are not saved with the weights."""
    return [one for one in model.non_trainable_variables if one.name == "seed_generator_state"]


def seeds_of(model):
    """Return the states of the model's seed generators."""
    states = map(keras.ops.convert_to_numpy, seed_generators(model))
    return [state.tolist() for state in states]


def replace(path: Path, write) -> None:
    """Call `write` with a temporary path, then rename that file to `path`."""
    staged = path.with_name(f".{path.name}")
    try:
        with writing(path):
            write(staged)
            sync(staged)
            staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(path: Path):
    """Raise `CheckpointError` if `path` can't be written."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # The latter comes from HDF5.
        reason, *_ = (getattr(error, "strerror", None) or str(error)).partition("\n")
        raise CheckpointError(f"{path} was not written: {reason}") from error


def sync(path: Path) -> None:
    """Wait until a file is on disk."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
