"""Training: from a configuration to the folder of a run, which can be resumed.

The folder has `config.json`, `log.csv`, `tensorboard/`, `checkpoints/`, `best.keras` (from the
epoch with the lowest `val_loss`) and `final.keras` (from the last one).
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import keras
{%- if cookiecutter.backend == "torch" %}
import numpy as np
import torch
{%- endif %}
{%- if cookiecutter.backend != "tensorflow" %}
from tensorboardX import SummaryWriter
{%- endif %}

from {{ cookiecutter.package }} import checkpoints, distribution
from {{ cookiecutter.package }}.checkpoints import State
from {{ cookiecutter.package }}.config import Config, ConfigError
from {{ cookiecutter.package }}.data import Batches, load_data
from {{ cookiecutter.package }}.distribution import DistributionError
from {{ cookiecutter.package }}.models import DigitClassifier

MONITOR = "val_loss"


def train(
    config: Config,
    folder: Path,
    *,
    resume: bool = False,
    strategy: str = "none",
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int | str = "auto",
) -> State | None:
    """Train into a folder; return the final state, or `None` if another process writes the run.

    Args:
        config: The training configuration.
        folder: The folder of the run.
        resume: Whether to resume the run in that folder, if there is one.
        strategy: The distribution strategy, one of `distribution.STRATEGIES`.
        callbacks: Additional callbacks.
        verbose: As in `keras.Model.fit`.

    Raises:
        ConfigError: If the folder has a run, and `resume` is not set or its configuration
            differs.
        DistributionError: If the job can't start, or its processes resume from different epochs.
        CheckpointError: If a file of the run can't be written, or no checkpoint can be read.
    """
    {%- if cookiecutter.backend == "tensorflow" %}
    if strategy != "none" and config.optimizer.gradient_accumulation_steps:
        raise ConfigError("Keras can't accumulate gradients on several devices of TensorFlow")
    {%- endif %}
    with distribution.start(strategy, config.batch_size) as job:
        data = load_data()
        if job.is_chief:
            begin(config, folder, resume)
        if resume and len(set(job.epochs(checkpoints.last_epoch(folder / "checkpoints")))) > 1:
            raise DistributionError(
                f"the processes resume from different epochs: {folder} must be on a shared disk"
            )
        keras.utils.set_random_seed(config.seed)
        x_train, y_train = data.train
        batches = Batches(x_train, y_train, config.batch_size, seed=config.seed, part=job.part)
        {%- if cookiecutter.backend == "tensorflow" %}
        with job.scope():
            model = make_model(config, x_train.shape[1:], len(batches))
            state = checkpoints.restore(folder / "checkpoints", model) if resume else State()
        {%- else %}
        model = make_model(config, x_train.shape[1:], len(batches))
        state = checkpoints.restore(folder / "checkpoints", model) if resume else State()
        {%- endif %}
        {%- if cookiecutter.backend == "torch" %}
        job.replicate(model)

        def begin_epoch(epoch, _):
            batches.set_epoch(epoch)
            # A dropout without a seed uses the generator of Torch.
            draws = np.random.default_rng([config.seed, epoch, *job.part])
            torch.manual_seed(draws.integers(2**31))

        order = keras.callbacks.LambdaCallback(on_epoch_begin=begin_epoch)
        {%- else %}
        order = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, _: batches.set_epoch(epoch)
        )
        {%- endif %}
        stopping = EarlyStopping(state.logs, patience=config.early_stopping.patience)
        callbacks = [{% if cookiecutter.backend == "torch" %}*job.callbacks(), {% endif %}order, *callbacks, stopping]
        if job.is_chief:
            recorder = Recorder(folder, state{% if cookiecutter.backend == "jax" %}, job{% endif %})
            callbacks += [recorder, {% if cookiecutter.backend == "tensorflow" %}keras.callbacks.{% endif %}TensorBoard(folder / "tensorboard")]
        model.fit(
            batches,
            {%- if cookiecutter.backend == "jax" %}
            validation_data=job.pad(*data.validation),
            validation_batch_size=config.batch_size // job.part[1],
            {%- else %}
            validation_data=data.validation,
            validation_batch_size=config.batch_size,
            {%- endif %}
            initial_epoch=state.epoch,
            epochs=state.epoch if state.stopped else config.epochs,
            callbacks=callbacks,
            shuffle=False,  # Keras's order could not be resumed.
            verbose=verbose if job.is_chief else 0,
        )
        if job.is_chief:
            {%- if cookiecutter.backend == "jax" %}
            with job.alone():
                checkpoints.replace(folder / "final.keras", model.save)
            {%- else %}
            checkpoints.replace(folder / "final.keras", model.save)
            {%- endif %}
            return recorder.state
        return None


def make_model(config: Config, shape: tuple[int, ...], steps: int) -> keras.Model:
    """Return the compiled model.

    Args:
        config: The training configuration.
        shape: Shape of the inputs without the batch axis.
        steps: Number of batches per epoch.
    """
    model = DigitClassifier(shape, dtype=config.dtype_policy)
    {% if cookiecutter.backend == "jax" %}# Padding in the validation data has weight 0.
    model.compile_for_training(
        optimizer=make_optimizer(config, steps), metrics=None, weighted_metrics=["accuracy"]
    ){% else %}model.compile_for_training(optimizer=make_optimizer(config, steps)){% endif %}
    return model


def make_optimizer(config: Config, steps: int) -> keras.optimizers.Optimizer:
    """Return the optimizer with its learning rate schedule."""
    arguments = asdict(config.optimizer)
    rate, schedule = arguments.pop("learning_rate"), arguments.pop("schedule")
    warmup = arguments.pop("warmup_epochs") * steps
    arguments["learning_rate"] = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else rate,
        decay_steps=max(config.epochs * steps - warmup, 1),
        alpha=0.0 if schedule == "cosine" else 1.0,  # Final fraction of the rate.
        warmup_target=rate if warmup else None,
        warmup_steps=warmup,
    )
    return keras.optimizers.AdamW(**arguments)


def begin(config: Config, folder: Path, resume: bool) -> None:
    """Save the configuration of a run; to resume one, only `epochs` may differ.

    Raises:
        ConfigError: If the folder has a run, and `resume` is not set or its configuration
            differs or can't be read.
    """
    path = folder / "config.json"
    now = asdict(config)
    if checkpoints.saved(folder / "checkpoints"):
        if not resume:
            raise ConfigError(f"{folder} already has a run: add --resume, or choose another folder")
        try:
            was = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path} can't be read: {error}. Choose another folder") from error
        changed = [key for key in now if key != "epochs" and now[key] != was.get(key)]
        if changed:
            raise ConfigError(
                f"{folder} was started with another `{changed[0]}`: {was.get(changed[0])}. "
                "Restore it, or choose another folder"
            )
    with checkpoints.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(now, indent=2) + "\n"
    checkpoints.replace(path, lambda staged: staged.write_text(text, encoding="utf-8"))


def write_log(path: Path, logs: list[dict[str, float]]) -> None:
    """Write the metrics of each epoch as a table."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["epoch", *sorted(logs[0])])
        writer.writeheader()
        writer.writerows({"epoch": epoch, **row} for epoch, row in enumerate(logs))


class EarlyStopping(keras.callbacks.EarlyStopping):
    """Keras's early stopping, including the epochs before a training was resumed.

    An epoch whose value is not finite does not count as better.

    Args:
        logs: Metrics of the earlier epochs.
        patience: Number of epochs without a better one before stopping.
    """

    def __init__(self, logs, patience):
        super().__init__(MONITOR, patience=patience, mode="min")
        self.logs = logs

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        for epoch, measured in enumerate(self.logs):
            self.on_epoch_end(epoch, measured)

    def get_monitor_value(self, logs):
        value = super().get_monitor_value(logs)
        return value if math.isfinite(value) else math.inf  # Nothing is less than NaN.
{%- if cookiecutter.backend != "tensorflow" %}


class TensorBoard(keras.callbacks.Callback):
    """Writes the metrics for TensorBoard. Keras's own callback needs TensorFlow."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def on_train_begin(self, logs=None):
        with checkpoints.writing(self.folder):
            self.writer = SummaryWriter(str(self.folder))

    def on_epoch_end(self, epoch, logs=None):
        for name, value in logs.items():
            self.writer.add_scalar(name, value, epoch)
        with checkpoints.writing(self.folder):
            self.writer.flush()

    def on_train_end(self, logs=None):
        self.writer.close()
{%- endif %}


class Recorder(keras.callbacks.Callback):
    """Saves the best model, `log.csv` and a checkpoint after each epoch.

    Args:
        folder: The folder of the run.
        state: The progress of the run.
        {%- if cookiecutter.backend == "jax" %}
        job: The job that trains the model.
        {%- endif %}
    """

    def __init__(self, folder, state{% if cookiecutter.backend == "jax" %}, job{% endif %}):
        super().__init__()
        self.folder = folder
        self.state = state
        {%- if cookiecutter.backend == "jax" %}
        self.job = job
        {%- endif %}

{% if cookiecutter.backend == "jax" %}    def on_epoch_end(self, epoch, logs=None):
        with self.job.alone():
            self.record(epoch, logs)

    def record(self, epoch, logs):
        """Save an epoch."""
{% else %}    def on_epoch_end(self, epoch, logs=None):
{% endif %}        measured = {name: float(value) for name, value in logs.items()}
        self.state = State(
            epoch + 1,
            [*self.state.logs, measured],
            checkpoints.seeds_of(self.model),
            self.model.stop_training,
        )
        # The checkpoint comes last: if killed before it, the epoch is repeated.
        if self.state.best(MONITOR) is measured:
            checkpoints.replace(self.folder / "best.keras", self.model.save)
        log = partial(write_log, logs=self.state.logs)
        checkpoints.replace(self.folder / "log.csv", log)
        checkpoints.save(self.folder / "checkpoints", self.model, self.state)
