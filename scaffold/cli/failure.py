"""Error reports: two lines for people, JSON for programs."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from scaffold.changes import FilesDifferError
from scaffold.cli.answer import print_answer
from scaffold.cli.command import options_in, wants_json
from scaffold.cli.typed import mistake
from scaffold.errors import Place, ScaffoldError, UsageError
from scaffold.text import unprintable


def report(
    error: BaseException, words: Sequence[str], color: bool | None, asked: str | None
) -> int:
    """Show `error` and return its exit code.

    Args:
        error: What ended the run.
        words: The command line.
        color: Whether to color the output; `None` if the terminal decides.
        asked: The name of the command, if one was typed.

    Raises:
        BaseException: `error` itself, if it is a bug and SCAFFOLD_TRACEBACK is set.
    """
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True, color=color)
        return error.exit_code
    known = _known(error, words)
    if wants_json(words):
        print_answer(asked, error=_data(known))
        return known.exit_code
    if isinstance(known, FilesDifferError):
        requested = "--diff" in options_in(words)
        click.echo(colored_diff(known.plan.diff()), err=not requested, nl=False, color=color)
    label = click.style("Error:", fg="red", bold=True)
    click.echo(f"{label} {known.message}", err=True, color=color)
    if known.place is not None:
        click.echo(_pointer(known.place), err=True, color=color)
    if known.fix:
        click.echo(known.fix, err=True, color=color)
    return known.exit_code


def colored_diff(text: str) -> str:
    """Return a unified diff in the usual colors."""
    colors = {"+": "green", "-": "red", "@": "cyan"}
    return "".join(
        click.style(line, fg=colors.get(line[:1])) for line in text.splitlines(keepends=True)
    )


def _known(error: BaseException, words: Sequence[str]) -> ScaffoldError:
    match error:
        case ScaffoldError():
            return error
        case click.UsageError():
            command = error.ctx.command_path if error.ctx else "scaffold"
            place, near = mistake(error, words)
            fix = f"See `{command} --help`."
            return UsageError(error.format_message(), fix=fix, place=place, suggestions=near)
        case click.ClickException():
            return ScaffoldError(error.format_message())
        case click.Abort() | KeyboardInterrupt():
            return ScaffoldError("interrupted; nothing was written")
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return ScaffoldError(f"{where}{error.strerror or error}")
    if os.environ.get("SCAFFOLD_TRACEBACK"):
        raise error
    return ScaffoldError(
        f"bug in scaffold: {type(error).__name__}: {error}",
        fix="Please report it; set SCAFFOLD_TRACEBACK=1 for a traceback.",
    )


def _data(error: ScaffoldError) -> dict[str, Any]:
    place = error.place
    data: dict[str, Any] = {
        "kind": error.kind,
        "exit_code": error.exit_code,
        "message": error.message,
        "fix": error.fix,
        "place": place and _place_data(place),
        "suggestions": list(error.suggestions),
    }
    if isinstance(error, FilesDifferError):
        data["conflicts"] = [str(change.path) for change in error.plan.changes]
        data["diff"] = error.plan.diff()
    return data


def _place_data(place: Place) -> dict[str, Any]:
    data: dict[str, Any] = {"text": place.text, "start": place.start, "end": place.end}
    return data if place.path is None else data | {"path": _path(place), "line": place.line}


def _pointer(place: Place) -> str:
    text = "".join(" " if c == "\t" else "�" if unprintable(c) else c for c in place.text)
    before, meant = text[: place.start], text[place.start : place.end]
    carets = "^" * max(_columns(meant), 1)
    file = "" if place.path is None else f"  {_path(place)}:{place.line}\n"
    return f"{file}  {text}\n  {' ' * _columns(before)}{click.style(carets, fg='red')}"


def _path(place: Place) -> str:
    """Return the path relative to the current folder if it is inside it."""
    path, here = Path(str(place.path)), Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


def _columns(text: str) -> int:
    """Return the number of terminal columns of `text`: two for a wide character."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
