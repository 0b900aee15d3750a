"""What a model is compiled with, if the user says so: loss, optimizer and metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from scaffold.errors import UsageError
from scaffold.generation.composition.source import call
from scaffold.generation.composition.stage import read_use
from scaffold.keras_source import constructor, public_names
from scaffold.text import nearest, snake_case

# Names that `compile` knows besides those of functions, and functions that are neither.
_SHORT = ("mse", "mae", "mape", "msle", "bce", "kld")
_METRICS = ("accuracy", "acc", "crossentropy", "ce")
_OTHERS = {"get", "serialize", "deserialize", "legacy", "schedules"}


@dataclass(frozen=True)
class CompileArguments:
    """The objects to compile with, as typed; empty for the template's own.

    Each is a name that Keras knows, such as `mse`, or a class with arguments, such as
    `Huber:delta=2.0`.
    """

    loss: str = ""
    optimizer: str = ""
    metrics: Sequence[str] = ()

    def over(self, other: CompileArguments) -> CompileArguments:
        """Return this, completed by what only `other` has."""
        return CompileArguments(
            self.loss or other.loss,
            self.optimizer or other.optimizer,
            self.metrics or other.metrics,
        )

    def check(
        self, at: Callable[[str], AbstractContextManager[None]] = lambda part: nullcontext()
    ) -> None:
        """Check all of it, each part within the context that `at` gives for it.

        Raises:
            UsageError: If Keras does not have one of them.
        """
        with at("loss"):
            self.loss_source()
        with at("optimizer"):
            self.optimizer_source()
        for metric in self.metrics:
            with at(f"metric {metric}"):
                _metric_source(metric)

    def loss_source(self) -> str:
        """Return the source of the loss, or an empty string.

        Raises:
            UsageError: If Keras has no such loss.
        """
        return _source("keras.losses", self.loss) if self.loss else ""

    def metric_sources(self) -> list[str]:
        """Return the sources of the metrics.

        Raises:
            UsageError: If Keras does not have one of them.
        """
        return [*map(_metric_source, self.metrics)]

    def optimizer_source(self) -> str:
        """Return the source of the optimizer, which uses a local `learning_rate`; empty for none.

        Raises:
            UsageError: If Keras has no such optimizer, or a learning rate is given.
        """
        if not self.optimizer:
            return ""
        use = read_use(self.optimizer)
        classes = {name.lower(): name for name in public_names("keras.optimizers")}
        name = classes.get(use.layer.lower(), use.layer)
        if "learning_rate" in use.arguments:
            raise UsageError(
                "the learning rate is an argument of `compile_for_training`",
                fix=f"Remove it from `--optimizer {self.optimizer}`.",
            )
        signature = constructor("keras.optimizers", name)
        started = call(f"keras.optimizers.{name}", signature, use.arguments, ("name",), use)
        opened = started if started.endswith("(") else f"{started}, "
        return f"{opened}learning_rate=learning_rate)"


def _metric_source(metric: str) -> str:
    return _source("keras.metrics", metric, _METRICS)


def _source(module: str, text: str, words: Sequence[str] = ()) -> str:
    use = read_use(text)
    if use.layer[:1].isupper():
        signature = constructor(module, use.layer)
        also = ("name", "dtype")
        return call(f"{module}.{use.layer}", signature, use.arguments, also, use) + ")"
    known = {*public_names(module)} - _OTHERS
    functions = {*map(snake_case, known), *_SHORT, *words}
    if use.layer not in functions or use.arguments:
        raise UsageError(
            f"`{text}` not found in `{module}`{nearest(use.layer, functions)}",
            fix="Use a name such as `mse`, or a class such as `Huber:delta=2.0`.",
        )
    return f'"{use.layer}"'
