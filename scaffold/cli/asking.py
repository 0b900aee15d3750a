"""Asking a person, on a terminal and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TextIO

import click

from scaffold.errors import ScaffoldError


def can_ask() -> bool:
    """Whether somebody sees a question and can answer it."""
    return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)


def prompt(label: str, read: Callable[[str], Any], **settings: Any) -> Any:
    """Ask until `read` takes the answer; what it refuses is shown, and asked again."""

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
    """Whether one can ask there; a stream that was closed at the start is `None`."""
    return stream is not None and stream.isatty()
