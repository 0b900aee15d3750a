"""`scaffold check`: check layers and models against Keras's contract."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scaffold.cli.command import Command
from scaffold.cli.params import complete_checks, complete_files, complete_tags
from scaffold.conformance.backends import BACKENDS
from scaffold.errors import UsageError
from scaffold.text import shown

if TYPE_CHECKING:
    from scaffold.cli.report_file import ReportFile
    from scaffold.conformance.finding import Outcome
    from scaffold.conformance.process.session import Note, Request

_HELP = """Check layers and models against Keras's contract.

A TARGET is file.py:Class, file.py, module:Class or a folder. The classes are
imported and run: check only code that you trust.

\b
scaffold check my_conv.py
scaffold check my_conv.py:MyConv --args filters=4 --input 2,8,8,3
scaffold check my_models.py --backend all --skip no-growth,threads-agree
scaffold check --explain config-complete

Exit codes: 0 no problem found, 1 problem found, 2 usage error, 5 Keras or the
backend is not installed.
"""
_REPORT = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
_STDOUT = Path("-")


def _positive(ctx: click.Context, param: click.Parameter, value: float) -> float:
    if not 0 < value < 1e6:
        raise click.BadParameter(
            f"must be positive and less than 1000000, not {value:g}.", ctx, param
        )
    return value


@click.command("check", cls=Command, help=_HELP)
@click.argument("targets", nargs=-1, shell_complete=complete_files)
@click.option(
    "--args",
    "arguments",
    multiple=True,
    metavar="NAME=VALUE",
    help="A constructor argument. May be given more than once.",
)
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="[NAME=]SHAPE",
    help="An input, batch first: 2,8,8,3 or 2,6:int32:0..10 or 2,6,8:mask. Several inputs are a "
    "list; named ones are a dict or the arguments of `call`.",
)
@click.option(
    "--tag",
    "tags",
    multiple=True,
    shell_complete=complete_tags,
    help="What the class intentionally does differently from most; --list shows the tags.",
)
@click.option(
    "--backend",
    "backends",
    multiple=True,
    type=click.Choice([*BACKENDS, "all"]),
    help="The backend to run on.  [default: the one that Keras selects]",
)
@click.option(
    "--only",
    multiple=True,
    metavar="ID[,ID]",
    shell_complete=complete_checks,
    help="Report only these checks.",
)
@click.option(
    "--skip",
    multiple=True,
    metavar="ID[,ID]",
    shell_complete=complete_checks,
    help="Don't report these checks.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--sarif", type=_REPORT, help="Write a SARIF report; - for standard output.")
@click.option("--junit", type=_REPORT, help="Write a JUnit report; - for standard output.")
@click.option("--verbose", "-v", is_flag=True, help="Also list checks that passed or were not run.")
@click.option(
    "--timeout",
    type=float,
    default=120,
    show_default=True,
    metavar="SECONDS",
    callback=_positive,
    help="Maximum time per check.",
)
@click.option(
    "--memory",
    type=float,
    default=8,
    show_default=True,
    metavar="GIB",
    callback=_positive,
    help="Memory limit of the checks.",
)
@click.option("--allow-empty", is_flag=True, help="Succeed even if there is no layer or model.")
@click.option("--list", "lists", is_flag=True, help="List the checks and exit.")
@click.option(
    "--explain",
    metavar="ID",
    shell_complete=complete_checks,
    help="Explain one check with an example and exit.",
)
def command(
    targets: tuple[str, ...],
    arguments: tuple[str, ...],
    inputs: tuple[str, ...],
    tags: tuple[str, ...],
    backends: tuple[str, ...],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    as_json: bool,
    sarif: Path | None,
    junit: Path | None,
    verbose: bool,
    timeout: float,
    memory: float,
    allow_empty: bool,
    lists: bool,
    explain: str | None,
) -> int:
    """Turn the command line into a request, run it, and report the outcomes."""
    from scaffold.conformance.registry import find, select

    _check_words(targets, lists=lists, explain=explain)
    checks = select(_split(only), _split(skip))
    if lists or explain is not None:
        from scaffold.cli.check_pages import show_list, show_page

        if explain is not None:
            show_page(find(explain), _width(), as_json=as_json)
        else:
            show_list(checks, _width(), as_json=as_json)
        return 0
    from scaffold.cases import arguments_from
    from scaffold.conformance.backends import choose
    from scaffold.conformance.process.session import Request

    reports = _Reports.at(sarif, junit, as_json=as_json)
    request = Request(
        targets=targets,
        args=arguments_from(arguments) or None,
        inputs=_inputs(inputs),
        tags=_known(tags),
        backends=choose(backends),
        checks=tuple(check.id for check in checks),
        timeout=timeout,
        memory=memory,
        allow_empty=allow_empty,
    )
    run = _CheckRun(prints=not as_json, err=reports.on_stdout, verbose=verbose)
    run.follow(request)
    reports.write(run)
    if as_json:
        _answer(run, request)
    return 1 if run.failed else 0


@dataclass
class _CheckRun:
    """The outcomes so far; each class is printed once all its checks have ended.

    Args:
        prints: Whether to print text at all.
        err: Whether to print it to standard error.
        verbose: Whether to print all checks.
    """

    prints: bool
    err: bool
    verbose: bool
    outcomes: list[Outcome] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    _printed: int = 0
    _said: list[str] = field(default_factory=list)

    def follow(self, request: Request) -> None:
        """Run the request to its end."""
        from scaffold.cli.progress import Progress
        from scaffold.conformance.finding import Outcome
        from scaffold.conformance.process.session import run_session
        from scaffold.conformance.report.text import summary
        from scaffold.conformance.report.view import group_of, printable

        progress = Progress()

        def starting(subject: str, check: str) -> None:
            progress.show(f"{printable(subject)}: {check}")

        try:
            with closing(run_session(request, starting)) as session:
                for event in session:
                    if not isinstance(event, Outcome):
                        self._print_group(progress.erase)
                        self._note(event)
                        continue
                    if self.outcomes and group_of(self.outcomes[-1]) != group_of(event):
                        self._print_group(progress.erase)
                    self.outcomes.append(event)
        finally:
            progress.erase()
        if self.outcomes:
            self._print_group(progress.erase)
            self._print(summary(self.outcomes, click.style))
        elif request.allow_empty:
            self._print("No layer or model to check.")
        else:
            raise UsageError(
                "nothing was checked", fix="Name a file that contains a layer or model."
            )

    @property
    def failed(self) -> bool:
        return any(outcome.status == "failed" for outcome in self.outcomes)

    @property
    def sentences(self) -> list[str]:
        """The notes, each with its class."""
        return [f"{note.subject}: {note.text}" for note in self.notes]

    def _note(self, note: Note) -> None:
        if note.text and note not in self.notes:
            self.notes.append(note)
            self._said.append(note.text)

    def _print_group(self, make_room: Any) -> None:
        from scaffold.conformance.report.text import Look, group_text

        earlier, group = self.outcomes[: self._printed], self.outcomes[self._printed :]
        if group:
            make_room()
            look = Look(Path.cwd(), _width(), self.verbose, click.style)
            self._print(group_text(group, self._said, look=look, earlier=earlier))
            self._printed, self._said = len(self.outcomes), []

    def _print(self, text: str) -> None:
        if self.prints:
            click.echo(text, err=self.err)


@dataclass(frozen=True)
class _Reports:
    """The requested reports, each with its file; `None` for standard output."""

    files: dict[str, ReportFile | None]

    @classmethod
    def at(cls, sarif: Path | None, junit: Path | None, *, as_json: bool) -> _Reports:
        from scaffold.cli.report_file import ReportFile

        reports = {"sarif": sarif, "junit": junit}
        given = {name: path for name, path in reports.items() if path is not None}
        if as_json + sum(path == _STDOUT for path in given.values()) > 1:
            raise UsageError(
                "only one of --json, --sarif - and --junit - can use standard output",
                fix="Write the others to a file.",
            )
        files = {n: None if p == _STDOUT else ReportFile.at(p) for n, p in given.items()}
        paths = [file.real for file in files.values() if file]
        if len(set(paths)) < len(paths):
            raise UsageError("--sarif and --junit name the same file", fix="Use two files.")
        return cls(files)

    @property
    def on_stdout(self) -> bool:
        return None in self.files.values()

    def write(self, run: _CheckRun) -> None:
        for name, file in self.files.items():
            text = _junit(run) if name == "junit" else _sarif(run)
            if file is None:
                click.echo(text, nl=False)
            else:
                file.write(text)


def _junit(run: _CheckRun) -> str:
    from scaffold.conformance.report.junit import junit

    return junit(run.outcomes, Path.cwd())


def _sarif(run: _CheckRun) -> str:
    import json

    from scaffold.conformance.report.sarif import sarif

    return json.dumps(sarif(run.outcomes, run.sentences, Path.cwd()), indent=2) + "\n"


def _answer(run: _CheckRun, request: Request) -> None:
    from scaffold.cli.answer import print_answer
    from scaffold.cli.check_answer import check_data

    data = check_data(run.outcomes, run.sentences, request.backends, Path.cwd())
    print_answer("check", result=data, ok=data["clean"])


def _check_words(targets: Sequence[str], *, lists: bool, explain: str | None) -> None:
    if lists and explain is not None:
        raise UsageError("--list and --explain can't be used together", fix="Remove one of them.")
    option = "--list" if lists else "--explain" if explain is not None else ""
    if option and targets:
        raise UsageError(
            f"{option} takes no target, but `{shown(targets[0])}` is given",
            fix=f"Remove the target or {option}.",
        )
    if not option and not targets:
        raise UsageError(
            "no target given",
            fix="Name a class, a file or a folder, as in `scaffold check my_layers.py:MyLayer`.",
        )


def _split(words: Iterable[str]) -> list[str]:
    return [id_.strip() for word in words for id_ in word.split(",")]


def _known(tags: Iterable[str]) -> frozenset[str]:
    from scaffold.conformance.registry import refuse_unknown_tags

    refuse_unknown_tags(tags)
    return frozenset(tags)


def _inputs(words: Sequence[str]) -> Any:
    """Return one input, a list of inputs, or a dict of named ones; `None` for none."""
    from scaffold.cases import input_from

    parted = [word.rpartition("=") for word in words]
    names = [name for name, equals, _ in parted if equals]
    if names and len(names) < len(words):
        raise UsageError(
            "some inputs are named and some are not",
            fix="Name all of them, as in `--input query=2,4,8`, or none.",
        )
    if len(set(names)) < len(names):
        raise UsageError("two inputs have the same name", fix="Remove one of them.")
    inputs = [input_from(text) for *_, text in parted]
    if names:
        return dict(zip(names, inputs, strict=True))
    return inputs[0] if len(inputs) == 1 else inputs or None


def _width() -> int:
    """Return the line length: the terminal's width, within what reads well."""
    if sys.stdout is None or not sys.stdout.isatty():
        return 100
    return max(40, min(100, shutil.get_terminal_size().columns))
