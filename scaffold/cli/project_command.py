"""`scaffold project`: from a name to a whole project, made by cookiecutter."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import click

from scaffold.changes import Change, ChangeSet, OnConflict
from scaffold.cli import writing
from scaffold.cli.answer import print_answer
from scaffold.cli.asking import can_ask
from scaffold.cli.command import Command
from scaffold.cli.failure import colored_diff
from scaffold.cli.project_prompts import AnswerParam, ask, template_folder
from scaffold.errors import UsageError
from scaffold.project import (
    Given,
    load_questions,
    read_given,
    render_project,
    take_given,
    with_defaults,
)
from scaffold.workspace import Workspace

_TEMPLATE = template_folder()
_QUESTIONS = load_questions(_TEMPLATE)


def _keys() -> Iterator[str]:
    width = max(len(question.key) for question in _QUESTIONS)
    for question in _QUESTIONS[1:]:
        choices = f": {', '.join(question.choices)}" if question.choices else ""
        yield f"{question.key:<{width}}  {question.label}{choices}"


_NEWLINE = "\n"
_HELP = f"""Generate a complete Keras project in a new folder NAME.

What is not given is prompted for on a terminal; elsewhere it has its default.

\b
scaffold project my_project
scaffold project my_project backend=jax 'author=Ada Lovelace' --no-input

\b
{_NEWLINE.join(_keys())}
"""


@click.command("project", cls=Command, help=_HELP)
@click.argument("name", required=False)
@click.argument("answers", nargs=-1, type=AnswerParam(), metavar="[KEY=VALUE]...")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to create NAME in.  [default: the current one]",
)
@click.option("--no-input", is_flag=True, help="Don't prompt.")
@writing.with_options(writing.OPTIONS)
def command(
    name: str | None,
    answers: tuple[Given, ...],
    into: Path | None,
    no_input: bool,
    dry_run: bool,
    show_diff: bool,
    as_json: bool,
    on_conflict: OnConflict,
) -> None:
    """Complete the answers, turn them into a plan, commit it, and report it."""
    given = take_given(_QUESTIONS, _with_name(name, answers))
    workspace = Workspace(_root(into))
    chosen = _complete(given, asks=not no_input and can_ask())
    run = _ProjectRun.begin(workspace, into, chosen)
    written = not (dry_run or show_diff)
    plan = run.write(on_conflict) if written else run.plan(on_conflict)
    if as_json:
        print_answer("project", result=_data(run, plan, dry_run=dry_run, show_diff=show_diff))
    elif show_diff:
        click.echo(colored_diff(plan.diff()), nl=False)
    else:
        _show(run, plan, written=written)


@dataclass(frozen=True)
class _ProjectRun:
    """The validated inputs of one run of the command.

    Args:
        workspace: The folder that everything is confined to.
        folder: The project's folder below it.
        answers: The answer to each question.
        files: The project's files, relative to the workspace.
    """

    workspace: Workspace
    folder: PurePosixPath
    answers: Mapping[str, str]
    files: Mapping[PurePosixPath, bytes]

    @classmethod
    def begin(
        cls, workspace: Workspace, into: Path | None, answers: Mapping[str, str]
    ) -> _ProjectRun:
        folder = workspace.confine((into or Path()) / answers[_QUESTIONS[0].key])
        rendered = render_project(_TEMPLATE, answers)
        files = {folder / path: data for path, data in rendered.items()}
        return cls(workspace, folder, answers, files)

    def plan(self, on_conflict: OnConflict) -> ChangeSet:
        return self.workspace.plan(self.files, on_conflict)

    def write(self, on_conflict: OnConflict) -> ChangeSet:
        with self.workspace.transaction() as transaction:
            plan = self.plan(on_conflict)
            transaction.commit(plan.changes)
        return plan

    def next_step(self) -> str:
        return f"cd {shlex.quote(self.shown(self.folder))} && make test"

    def shown(self, path: PurePosixPath) -> str:
        """Return `path` as typed in the current folder."""
        return self.workspace.as_typed(path)


def _with_name(name: str | None, answers: tuple[Given, ...]) -> list[Given]:
    """Return all that was given; if NAME was left out, the first answer is in its place."""
    if name is None:
        return [*answers]
    if "=" in name:
        return [read_given(name), *answers]
    return [Given(_QUESTIONS[0].key, name), *answers]


def _complete(given: Mapping[str, str], *, asks: bool) -> dict[str, str]:
    if asks:
        return ask(_QUESTIONS, given)
    if _QUESTIONS[0].key not in given:
        raise UsageError(
            "no project name given", fix="Add one, as in `scaffold project my_project`."
        )
    return with_defaults(_QUESTIONS, given)


def _root(into: Path | None) -> Path:
    """Return the folder that confines the run: the current one, or that of `--into` outside it."""
    here = Path.cwd()
    folder = Path(os.path.normpath(here / (into or "")))
    return here if folder.is_relative_to(here) else folder


def _show(run: _ProjectRun, plan: ChangeSet, *, written: bool) -> None:
    answers = run.answers
    chosen = "".join(f" {q.key}={answers[q.key]}" for q in _QUESTIONS if q.choices)
    name = click.style(answers["project"], bold=True)
    click.echo(f"{name}: package {answers['package']}{chosen}")
    writing.show_rows(list(_rows(run, plan)))
    if not written:
        click.echo("Nothing was written: this was a dry run.")
        return
    click.echo(f"Next: {click.style(run.next_step(), fg='cyan')}")


def _rows(run: _ProjectRun, plan: ChangeSet) -> Iterator[writing.Row]:
    """Yield action, path and size for each folder, and for each file that may matter."""
    entries: dict[PurePosixPath, list[tuple[str, Change]]] = {}
    for word, change in writing.done(plan):
        entry = run.folder / change.path.relative_to(run.folder).parts[0]
        entries.setdefault(entry, []).append((word, change))
    for top, changes in entries.items():
        new = all(word == "create" for word, _ in changes)
        folded = [c for word, c in changes if c.path != top and (new or word == "unchanged")]
        if folded:
            files = "file" if len(folded) == 1 else "files"
            word = "create" if new else "unchanged"
            yield word, run.shown(top), f"{len(folded):>4} {files}"
        for word, change in changes:
            if change not in folded:
                yield writing.row(run.workspace, word, change)


def _data(run: _ProjectRun, plan: ChangeSet, *, dry_run: bool, show_diff: bool) -> dict[str, Any]:
    written = not (dry_run or show_diff)
    data: dict[str, Any] = {
        "project": run.answers["project"],
        "package": run.answers["package"],
        "answers": dict(run.answers),
        "written": written,
        **writing.facts(run.workspace, plan, with_content=dry_run),
        "next": run.next_step() if written else "",
    }
    if show_diff:
        data["diff"] = plan.diff()
    return data
