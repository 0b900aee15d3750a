"""Where options were typed on the command line, to point at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from scaffold.cli.command import options_in, words_of
from scaffold.errors import Place
from scaffold.text import nearest, suggested


@dataclass(frozen=True)
class Typed:
    """An option as typed, with its value.

    Args:
        text: The word that contains both, or the two words with a space between.
        flag: The length of the flag.
        start: Where the value starts.
    """

    text: str
    flag: int
    start: int

    @property
    def given(self) -> str:
        return self.text[self.start :]

    def name(self) -> Place:
        return Place(self.text, 0, self.flag)

    def value(self) -> Place:
        return Place(self.text, self.start, len(self.text))


class TypedKey(Typed):
    """An option with a value `key=value`, whose name is the key."""

    def name(self) -> Place:
        return Place(self.text, self.start, self._equals)

    def value(self) -> Place:
        return Place(self.text, self._equals + 1, len(self.text))

    @property
    def _equals(self) -> int:
        return self.text.index("=", self.start)


def typed_in(words: Sequence[str], flags: Sequence[str]) -> Iterator[Typed]:
    """Yield each use of an option that has these flags, such as `--option` and `-o`."""
    options = options_in(words)
    for word, following in zip(options, [*options[1:], ""], strict=True):
        for flag in flags:
            if word == flag:
                yield Typed(f"{word} {following}", len(flag), len(flag) + 1)
            elif word.startswith(f"{flag}="):
                yield Typed(word, len(flag), len(flag) + 1)
            elif len(flag) == 2 and word.startswith(flag):  # -orank=2
                yield Typed(word, len(flag), len(flag))


def typed_now() -> Iterator[tuple[str, Typed]]:
    """Yield each use of an option of the command that runs, with the option's name in Python."""
    ctx = click.get_current_context()
    for param in ctx.command.params:
        if isinstance(param, click.Option):
            for one in typed_in(words_of(ctx), param.opts):
                yield str(param.name), one


def mistake(error: click.UsageError, words: Sequence[str]) -> tuple[Place | None, Sequence[str]]:
    """Return where the words are wrong according to click, and what was probably meant."""
    match error:
        case click.NoSuchOption():
            return _flag(error.option_name, words), error.possibilities or ()
        case click.BadOptionUsage():
            return _flag(error.option_name, words), ()
        case click.BadParameter(param=click.Option() as option):
            uses = [*typed_in(words, option.opts)]
            if isinstance(option.type, click.Choice):
                known = [*map(str, option.type.choices)]
                for use in uses:
                    if use.given not in known:
                        return use.value(), suggested(nearest(use.given, known))
            elif len(uses) == 1:
                return uses[0].value(), ()
    return None, ()


def _flag(name: str, words: Sequence[str]) -> Place | None:
    for word in options_in(words):
        if word == name or word.startswith(f"{name}="):
            return Place(word, 0, len(name))
    return None
