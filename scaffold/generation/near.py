"""Templates that a name may mean, where it doesn't say which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from scaffold.errors import UsageError
from scaffold.generation.template import Meaning, Template


@dataclass(frozen=True)
class Near:
    """A template that may be meant, with what it takes to come near, or with a word for both."""

    template: Template
    meaning: Meaning = field(default_factory=Meaning)
    word: str = ""

    def typed(self) -> str:
        """What is typed behind `--template` to get it."""
        return self.word or " ".join([self.template.name, *self.template.typed(self.meaning)])


class UndecidedError(UsageError):
    """A name that calls for no single template.

    Args:
        message: What is wrong.
        target: What was to be generated.
        name: The name.
        near: The templates that may be meant, the best first.
        instead: What else to do, before them.
    """

    def __init__(
        self, message: str, target: str, name: str, near: Sequence[Near], instead: str = ""
    ) -> None:
        typed = [f"--template {one.typed()}" for one in near] or ["--template TEMPLATE"]
        typed = list(dict.fromkeys(typed))
        self.commands = [f"scaffold {target} {name} {words}" for words in typed]
        first = f"`{self.commands[0]}`"
        if not instead:
            first = f"Write {first}"
        elif not instead.startswith("Write"):
            first = f"write {first}"
        ways = [first, *(f"`{words}`" for words in typed[1:])]
        super().__init__(message, fix=", or ".join([instead, *ways] if instead else ways))
        self.target = target
        self.near = tuple(near)
        self.instead = instead
