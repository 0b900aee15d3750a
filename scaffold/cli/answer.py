"""The JSON answer of every command, described in docs/json.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

VERSION = 2


def print_answer(
    command: str | None,
    *,
    result: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
    ok: bool = True,
) -> None:
    """Print the answer of a command, as `answer` returns it."""
    click.echo(answer(command, result=result, error=error, ok=ok))


def answer(
    command: str | None,
    *,
    result: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
    ok: bool = True,
) -> str:
    """Return the answer of a command: a result or an error.

    Args:
        command: The command's name.
        result: The result.
        error: The error.
        ok: False for a result that reports a problem.
    """
    data = {
        "version": VERSION,
        "command": command,
        "ok": ok and error is None,
        "result": result,
        "error": error,
    }
    return json.dumps(data, indent=2)
