"""Templates that a name may mean if it does not settle on one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from scaffold.errors import UsageError
from scaffold.generation.template import Meaning, Template


@dataclass(frozen=True)
class Near:
    """A template that may be meant, with the settings that bring it near, or a word for both."""

    template: Template
    meaning: Meaning = field(default_factory=Meaning)
    word: str = ""

    def typed(self) -> str:
        """Return what to type after `--template` to get it."""
        return self.word or " ".join([self.template.name, *self.template.typed(self.meaning)])


class UndecidedError(UsageError):
    """A name that does not call for a single template.

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
        commands = [f"scaffold {target} {name} {words}" for words in typed]
        first = f"`{commands[0]}`"
        if not instead:
            first = f"Run {first}"
        elif not instead.startswith("Run"):
            first = f"run {first}"
        ways = [first, *(f"`{words}`" for words in typed[1:])]
        fix = ", or ".join([instead, *ways] if instead else ways)
        super().__init__(message, fix=fix, suggestions=commands)
        self.target = target
        self.near = tuple(near)
        self.instead = instead
