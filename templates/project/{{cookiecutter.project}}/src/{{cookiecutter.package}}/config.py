"""The configuration of a training, read from TOML and checked."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import typing
from dataclasses import dataclass, field
from pathlib import Path

import click

SCHEDULES = ("constant", "cosine")
DTYPE_POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")


class ConfigError(click.ClickException):
    """A configuration that is invalid, or differs from that of the run."""


@dataclass(frozen=True)
class OptimizerConfig:
    """`[optimizer]`: arguments of `keras.optimizers.AdamW`, and its learning rate schedule.

    Args:
        learning_rate: Positive float, learning rate after the warm-up.
        schedule: `"constant"`, or `"cosine"` to decay to 0 by the last epoch.
        warmup_epochs: Non-negative int, number of epochs in which the rate rises from 0.
        weight_decay: Non-negative float.
        global_clipnorm: Positive float, maximum global norm of the gradients.
        gradient_accumulation_steps: Int of at least 2, number of steps per update.
        use_ema: Bool, whether the final model has the moving average of the weights.
        ema_momentum: Float in `[0, 1]`, momentum of that average.
    """

    learning_rate: float = 0.003
    schedule: str = "cosine"
    warmup_epochs: int = 1
    weight_decay: float = 0.004
    global_clipnorm: float | None = None
    gradient_accumulation_steps: int | None = None
    use_ema: bool = False
    ema_momentum: float = 0.99

    def __post_init__(self):
        require(self.learning_rate > 0, "learning_rate", "positive")
        require(self.schedule in SCHEDULES, "schedule", f"one of {', '.join(SCHEDULES)}")
        require(self.warmup_epochs >= 0, "warmup_epochs", "at least 0")
        require(self.weight_decay >= 0, "weight_decay", "at least 0")
        norm, steps = self.global_clipnorm, self.gradient_accumulation_steps
        require(norm is None or norm > 0, "global_clipnorm", "positive")
        require(steps is None or steps >= 2, "gradient_accumulation_steps", "at least 2")
        require(0 <= self.ema_momentum <= 1, "ema_momentum", "between 0 and 1")


@dataclass(frozen=True)
class EarlyStoppingConfig:
    """`[early_stopping]`: when to stop before the last epoch.

    Args:
        patience: Positive int, number of epochs without a better `val_loss` before stopping.
    """

    patience: int = 10

    def __post_init__(self):
        require(self.patience >= 1, "patience", "at least 1")


@dataclass(frozen=True)
class Config:
    """All that a training depends on, besides the data and the code.

    Args:
        seed: Int from 0 to 2**32 - 1, seed of the initial weights, dropout and the order of the
            data.
        epochs: Positive int, number of epochs.
        batch_size: Positive int, global batch size over all processes and devices.
        dtype_policy: `"float32"`, `"mixed_bfloat16"` or `"mixed_float16"`.
        optimizer: Settings of the optimizer.
        early_stopping: Settings of early stopping.
    """

    seed: int = 0
    epochs: int = 20
    batch_size: int = 32
    dtype_policy: str = "float32"
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    early_stopping: EarlyStoppingConfig = field(default_factory=EarlyStoppingConfig)

    def __post_init__(self):
        require(0 <= self.seed < 2**32, "seed", f"between 0 and {2**32 - 1}")
        require(self.epochs > 0, "epochs", "positive")
        require(self.batch_size > 0, "batch_size", "positive")
        policies = ", ".join(DTYPE_POLICIES)
        require(self.dtype_policy in DTYPE_POLICIES, "dtype_policy", f"one of {policies}")


def require(condition, key, what):
    """Raise `ConfigError` for `key` if the condition does not hold."""
    if not condition:
        raise ConfigError(f"`{key}` must be {what}")


def load_config(path: Path, epochs: int | None = None) -> Config:
    """Load a configuration from a file; `epochs` overrides its number of epochs.

    Raises:
        ConfigError: If the file is missing or not TOML, a key is unknown, or a value is invalid.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} not found") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    try:
        config = read(Config, table)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}") from None
    return config if epochs is None else dataclasses.replace(config, epochs=epochs)


def read(kind, table, where=""):
    """Create the dataclass `kind` from a TOML table, checking the type of each value."""
    types = typing.get_type_hints(kind)
    values = {}
    for key, value in table.items():
        if key not in types:
            near = difflib.get_close_matches(key, types, n=1)
            hint = f": did you mean `{where}{near[0]}`?" if near else ""
            raise ConfigError(f"unknown key `{where}{key}`{hint}")
        if dataclasses.is_dataclass(types[key]):
            if not isinstance(value, dict):
                raise ConfigError(f"`{where}{key}` must be a table: write [{where}{key}]")
            values[key] = read(types[key], value, f"{where}{key}.")
        else:
            values[key] = checked(value, types[key], f"{where}{key}")
    try:
        return kind(**values)
    except ConfigError as error:
        raise ConfigError(error.message.replace("`", f"`{where}", 1)) from None


def checked(value, kind, key):
    """Return `value` if it has the type `kind`; an int is accepted as a float."""
    kinds = typing.get_args(kind) or (kind,)
    if float in kinds and type(value) is int:
        value = float(value)
    if type(value) not in kinds:
        names = " or ".join(one.__name__ for one in kinds if one is not type(None))
        raise ConfigError(f"`{key}` must be of type {names}. Received: {value!r}")
    return value
