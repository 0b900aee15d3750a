"""The stages of a composed model: layers in sequence, branches, and skip connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from scaffold.errors import Place, UnsafeError, UsageError
from scaffold.text import shown, unprintable
from scaffold.toml_tables import NOWHERE, Entry

MERGES = ("concatenate", "add", "average", "maximum", "multiply")


@dataclass(frozen=True)
class Use:
    """One layer: a built-in, a template's, or a class in a file or module.

    Args:
        layer: The built-in's name or the template's word; the class's name if there is a `home`.
        home: The file or module of the class.
        arguments: The constructor arguments, as text.
        text: What the user typed.
        entry: Its table, if it is from a file.
    """

    layer: str
    home: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    entry: Entry | None = field(default=None, compare=False, repr=False)

    def place(self) -> Place | None:
        """Return where the layer is named, if known."""
        if self.entry:
            return self.entry.child("layer").value()
        named = ":".join(self.text.split(":")[: 2 if self.home else 1])
        return Place(self.text, 0, len(named)) if self.text else None

    def argument_place(self, argument: str) -> Place | None:
        """Return where an argument is named, if known."""
        if self.entry:
            return self.entry.child("args", argument).name()
        start = max(self.text.find(f"{argument}="), 0)
        return Place(self.text, start, start + len(argument)) if self.text else None

    def written(self) -> str:
        """Return it as typed after `--layer`."""
        parts = [self.home, self.layer] if self.home else [self.layer]
        return ":".join([*parts, *(f"{name}={value}" for name, value in self.arguments.items())])


@dataclass(frozen=True)
class Residual:
    """Stages whose output is added to their input."""

    stages: Sequence[Stage]


@dataclass(frozen=True)
class Parallel:
    """Branches with the same input, and how their outputs are merged."""

    branches: Sequence[Sequence[Stage]]
    merge: str = "concatenate"
    entry: Entry = field(default=NOWHERE, compare=False, repr=False)


Stage = Use | Residual | Parallel


def uses(stages: Sequence[Stage]) -> Iterator[Use]:
    """Yield all layers of some stages, in the order of the data flow."""
    for stage in stages:
        match stage:
            case Use():
                yield stage
            case Residual():
                yield from uses(stage.stages)
            case Parallel():
                for branch in stage.branches:
                    yield from uses(branch)


def with_homes(stages: Sequence[Stage], place: Callable[[str], str]) -> tuple[Stage, ...]:
    """Return the stages with `place` applied to the files and modules that layers come from."""

    def moved(stage: Stage) -> Stage:
        match stage:
            case Residual():
                return Residual(with_homes(stage.stages, place))
            case Parallel():
                return replace(stage, branches=[with_homes(b, place) for b in stage.branches])
            case Use(home=home) if home:
                return replace(stage, home=place(home))
        return stage

    return tuple(map(moved, stages))


def read_use(text: str) -> Use:
    """Read `conv:filters=32`, `Dense:units=10` or `./my_conv.py:MyConv:filters=64`.

    Raises:
        UsageError: If it is malformed; its place says where.
        UnsafeError: If it contains invisible characters.
    """
    if hidden := unprintable(text):
        raise UnsafeError(
            f"the layer `{shown(text)}` contains the control character {hidden}",
            fix="Retype it without invisible characters.",
        )
    first, *rest = text.split(":")
    home, layer = "", first.strip()
    if rest and "=" not in rest[0]:
        home, layer = layer, rest.pop(0).strip()
    if not layer or "=" in layer:
        raise UsageError(
            f"`{text}` does not name a layer",
            fix="Write it as in `Dense:units=10`, `conv:filters=32` or `my_conv.py:MyConv`.",
            place=Place(text, 0, max(len(first), 1)),
        )
    arguments: dict[str, str] = {}
    for part in rest:
        name, equals, value = part.partition("=")
        place = Place(text, text.rindex(part), text.rindex(part) + max(len(part), 1))
        if not equals or not name.strip().isidentifier():
            raise UsageError(f"`{part}` is not name=value", place=place)
        if name.strip() in arguments:
            raise UsageError(f"`{name.strip()}` is given twice", place=place)
        arguments[name.strip()] = value.strip()
    return Use(layer, home, arguments, text)
