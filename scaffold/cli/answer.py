"""The one JSON shape of every command, as docs/json.md describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

VERSION = 1


def print_answer(
    command: str | None,
    *,
    result: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
) -> None:
    """Print the answer of a command: a result, or an error."""
    answer = {
        "version": VERSION,
        "command": command,
        "ok": error is None,
        "result": result,
        "error": error,
    }
    click.echo(json.dumps(answer, indent=2))
