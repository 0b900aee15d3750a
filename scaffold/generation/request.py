"""What the user requested: one value, whatever it came from."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from scaffold.errors import Source, UsageError, pointing
from scaffold.generation.attributes.grammar import Assignment, Declaration
from scaffold.generation.composition import CompileArguments, Stage


@dataclass(frozen=True)
class Request:
    """What the user requested, as typed, answered or written in a file; not validated.

    `None` means not given. `sources` says where some of it is from: by the name of a field,
    `option rank`, `loss`, `optimizer` or `metric mae`.
    """

    target: str
    name: str | None = None
    template: str | None = None
    package: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    attributes: tuple[Assignment | Declaration, ...] = ()
    base: str | None = None
    layers: tuple[Stage, ...] = ()
    compiled: CompileArguments = field(default_factory=CompileArguments)
    sources: Mapping[str, Source] = field(default_factory=dict, compare=False, repr=False)

    def at(self, what: str, *, by_name: bool = False) -> AbstractContextManager[None]:
        """Have errors point at the value of `what`, or at its name, if its source is known."""
        if not (source := self.sources.get(what)):
            return nullcontext()
        return pointing(source.name if by_name else source.value)

    def over(self, other: Request) -> Request:
        """Return this request, completed by what only `other` has; attributes keep `other`'s order.

        Raises:
            UsageError: If the two have different targets.
        """
        if self.target != other.target:
            raise UsageError(
                f"the spec is for a {other.target}, not a {self.target}",
                fix=f'Use `scaffold {other.target}`, or write `target = "{self.target}"`.',
            )
        mine = {attribute.name: attribute for attribute in reversed(self.attributes)}
        kept = tuple(_over(mine.get(old.name, old), old) for old in other.attributes)
        first = [mine[old.name] for old in other.attributes if old.name in mine]
        further = tuple(a for a in self.attributes if not any(a is taken for taken in first))
        return Request(
            self.target,
            self.name or other.name,
            self.template or other.template,
            self.package or other.package,
            {**other.options, **self.options},
            (*kept, *further),
            self.base or other.base,
            self.layers or other.layers,
            self.compiled.over(other.compiled),
            {
                **{what: one for what, one in other.sources.items() if not self._has(what)},
                **self.sources,
            },
        )

    def _has(self, what: str) -> bool:
        """Return whether this request gives what a key of `sources` stands for."""
        kind, _, name = what.partition(" ")
        match kind:
            case "option":
                return name in self.options
            case "metric":
                return bool(self.compiled.metrics)
            case "loss" | "optimizer":
                return bool(getattr(self.compiled, kind))
        return getattr(self, kind) is not None


def _over(new: Assignment | Declaration, old: Assignment | Declaration) -> Assignment | Declaration:
    """Return `new`, or `old` with another default if `new` only assigns one to it."""
    if not (isinstance(new, Assignment) and isinstance(old, Declaration)):
        return new
    try:
        default = old.attribute.read(new.value)
    except ValueError as error:
        raise UsageError(f"`{new.name}`: {error}", place=new.place()) from None
    return replace(old, attribute=replace(old.attribute, default=default))
