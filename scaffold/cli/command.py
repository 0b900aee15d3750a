"""What all commands share: they keep the words that click forgets, and answer `--help --json`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

import click

_WORDS = f"{__name__}.words"


class Command(click.Command):
    """A command or, with a `click.Group`, a group of them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta.setdefault(_WORDS, tuple(args))
        return super().parse_args(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        if not wants_json(words_of(ctx)):
            return super().get_help(ctx)
        from scaffold.cli.answer import answer
        from scaffold.cli.description import described

        return answer(None if ctx.parent is None else self.name, result=described(self, ctx))


def words_of(ctx: click.Context) -> tuple[str, ...]:
    """Return the words of the command line after the program's name."""
    words: tuple[str, ...] = ctx.meta.get(_WORDS, ())
    return words


def options_in(words: Sequence[str]) -> list[str]:
    """Return the words that may be options."""
    return [*takewhile(lambda word: word != "--", words)]


def wants_json(words: Sequence[str]) -> bool:
    """Return whether the answer is to be JSON, even if the words are malformed."""
    return "--json" in options_in(words)
