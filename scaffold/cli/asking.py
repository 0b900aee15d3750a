"""Prompts, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TextIO

import click

from scaffold.errors import ScaffoldError


def can_ask() -> bool:
    """Return whether there is a user who can see and answer a question."""
    return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)


def prompt(label: str, read: Callable[[str], Any], **settings: Any) -> Any:
    """Ask until `read` accepts the answer; each refusal is shown."""

    def value(text: str) -> Any:
        try:
            return read(text.strip())
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        except ScaffoldError as error:
            raise click.UsageError(f"{error.message} {error.fix}".strip()) from None

    try:
        return click.prompt(label, value_proc=value, err=True, **settings)
    except click.Abort:
        click.echo(err=True)
        raise


def _is_terminal(stream: TextIO | None) -> bool:
    """Return whether the stream is a terminal; it is `None` if it was closed at startup."""
    return stream is not None and stream.isatty()
