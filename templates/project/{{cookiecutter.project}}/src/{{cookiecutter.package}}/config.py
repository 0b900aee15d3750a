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
    """A configuration that is not understood, or not that of the run."""


@dataclass(frozen=True)
class OptimizerConfig:
    """`[optimizer]`: the arguments of `keras.optimizers.AdamW`, and the schedule of its rate.

    Args:
        learning_rate: Float above 0, the rate after the warm-up.
        schedule: `"constant"`, or `"cosine"`: the rate falls to 0 by the last epoch.
        warmup_epochs: Int from 0, in which the rate rises from 0.
        weight_decay: Float from 0.
        global_clipnorm: Float above 0, the greatest norm of all gradients together.
        gradient_accumulation_steps: Int from 2, how many steps are made into one.
        use_ema: Bool, whether the final model has the moving average of the weights.
        ema_momentum: Float from 0 to 1, the share of the average that a step keeps.
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
        require(self.learning_rate > 0, "learning_rate", "above 0")
        require(self.schedule in SCHEDULES, "schedule", f"one of {', '.join(SCHEDULES)}")
        require(self.warmup_epochs >= 0, "warmup_epochs", "at least 0")
        require(self.weight_decay >= 0, "weight_decay", "at least 0")
        norm, steps = self.global_clipnorm, self.gradient_accumulation_steps
        require(norm is None or norm > 0, "global_clipnorm", "above 0")
        require(steps is None or steps >= 2, "gradient_accumulation_steps", "at least 2")
        require(0 <= self.ema_momentum <= 1, "ema_momentum", "from 0 to 1")


@dataclass(frozen=True)
class EarlyStoppingConfig:
    """`[early_stopping]`: when to stop before the last epoch.

    Args:
        patience: Int from 1, how many epochs may pass without a better `val_loss`.
    """

    patience: int = 10

    def __post_init__(self):
        require(self.patience >= 1, "patience", "at least 1")


@dataclass(frozen=True)
class Config:
    """All that a training depends on, beside the data and the code.

    Args:
        seed: Int from 0 to 2**32 - 1, what the first weights, dropout and the order of the data
            come from.
        epochs: Int above 0.
        batch_size: Int above 0, examples in a step, over all processes and devices.
        dtype_policy: `"float32"`, `"mixed_bfloat16"` or `"mixed_float16"`.
        optimizer: The optimizer's.
        early_stopping: When to stop before the last epoch.
    """

    seed: int = 0
    epochs: int = 20
    batch_size: int = 32
    dtype_policy: str = "float32"
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    early_stopping: EarlyStoppingConfig = field(default_factory=EarlyStoppingConfig)

    def __post_init__(self):
        require(0 <= self.seed < 2**32, "seed", f"from 0 to {2**32 - 1}")
        require(self.epochs > 0, "epochs", "above 0")
        require(self.batch_size > 0, "batch_size", "above 0")
        policies = ", ".join(DTYPE_POLICIES)
        require(self.dtype_policy in DTYPE_POLICIES, "dtype_policy", f"one of {policies}")


def require(held, key, what):
    """Raise `ConfigError` if what `key` has to be does not hold."""
    if not held:
        raise ConfigError(f"`{key}` must be {what}")


def load_config(path: Path, epochs: int | None = None) -> Config:
    """Return the configuration in a file, with as many epochs as are given here.

    Raises:
        ConfigError: If the file is missing or no TOML, a key is unknown, or a value is not
            what the key takes.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"there is no {path}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no TOML: {error}") from None
    try:
        config = read(Config, table)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}") from None
    return config if epochs is None else dataclasses.replace(config, epochs=epochs)


def read(kind, table, where=""):
    """Return the dataclass `kind` made of a table of TOML, each value of the type of its field."""
    types = typing.get_type_hints(kind)
    values = {}
    for key, value in table.items():
        if key not in types:
            near = difflib.get_close_matches(key, types, n=1)
            meant = f": did you mean `{where}{near[0]}`?" if near else ""
            raise ConfigError(f"there is no `{where}{key}`{meant}")
        if dataclasses.is_dataclass(types[key]):
            if not isinstance(value, dict):
                raise ConfigError(f"`{where}{key}` is a table: write [{where}{key}]")
            values[key] = read(types[key], value, f"{where}{key}.")
        else:
            values[key] = checked(value, types[key], f"{where}{key}")
    try:
        return kind(**values)
    except ConfigError as error:
        raise ConfigError(error.message.replace("`", f"`{where}", 1)) from None


def checked(value, kind, key):
    """Return `value` if it is of the type `kind`; an int will do for a float."""
    kinds = typing.get_args(kind) or (kind,)
    if float in kinds and type(value) is int:
        value = float(value)
    if type(value) not in kinds:
        names = " or ".join(one.__name__ for one in kinds if one is not type(None))
        raise ConfigError(f"`{key}` must be of type {names}. Received: {value!r}")
    return value
