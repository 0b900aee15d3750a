"""`python -m tools.examples`: generate the examples, verify them, and show them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from scaffold.conformance.backends import BACKENDS
from tools.examples.verify.devices import DEVICES

if TYPE_CHECKING:
    from scaffold.changes import ChangeSet
    from tools.examples.build import Built
    from tools.examples.listing import Example
    from tools.examples.verify.result import Result


_NAMES = click.argument("names", nargs=-1, metavar="[NAME]...")


_HELP = """Generate, verify and show the examples of generated_examples/examples.toml.

\b
python -m tools.examples build            write their files
python -m tools.examples verify dense     verify the example `dense`
python -m tools.examples report           write a page that shows them
"""


@click.group("examples", help=_HELP)
def command() -> None:
    """Group the three commands; `_HELP` is the help."""


@command.command("build")
@_NAMES
@click.option("--check", is_flag=True, help="Show what would change as a diff, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def build_command(names: tuple[str, ...], check: bool, as_json: bool) -> None:
    """Generate the files of the named examples, by default of all.

    Exit codes: 0 all files are up to date, 1 with --check something would change.
    """
    from scaffold.changes import make_plan
    from scaffold.cli.failure import colored_diff
    from scaffold.workspace import Workspace
    from tools.examples.build import left_over

    built = _built(_chosen(names))
    files = {path: content for one in built for path, content in one.paths().items()}
    workspace = Workspace(Path.cwd())
    if check:
        plan = make_plan(files, workspace.read, "overwrite")
    else:
        with workspace.transaction() as transaction:
            plan = make_plan(files, workspace.read, "overwrite")
            transaction.commit(plan.changes)
    changed = [change for change in plan.changes if change.action != "keep"]
    others = [path.as_posix() for path in left_over(built)]
    clean = not others and not (check and changed)
    if as_json:
        _answer_build(plan, others, ok=clean, written=not check)
    elif check:
        click.echo(colored_diff(plan.diff()), nl=False)
    else:
        click.echo(f"{len(built)} examples, {len(files)} files: {len(changed)} written")
    if not clean and not as_json:
        for path in others:
            click.echo(f"not part of any example: {path}", err=True)
        if changed and check:
            what = "1 file" if len(changed) == 1 else f"{len(changed)} files"
            click.echo(f"{what} would change", err=True)
    if not clean:
        raise click.exceptions.Exit(1)


@command.command("verify")
@_NAMES
@click.option(
    "--backend",
    "backends",
    multiple=True,
    type=click.Choice([*BACKENDS, "all"]),
    help="The backend to run on.  [default: all]",
)
@click.option(
    "--device",
    type=click.Choice(DEVICES),
    default="cpu",
    show_default=True,
    help="The device to run on; gpu also asserts that training used it.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="The number of examples to run at a time.  [default: one for each core]",
)
@click.option("--shard", default="1/1", metavar="I/N", help="The I-th of N shards of the examples.")
@click.option("--since", metavar="COMMIT", help="Only examples that changed since this commit.")
@click.option("--all", "again", is_flag=True, help="Also examples that are verified and unchanged.")
@click.option("--by-turn", is_flag=True, help="Run each example on only one of the backends.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=900,
    show_default=True,
    metavar="SECONDS",
    help="The time limit for one step.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def verify_command(
    names: tuple[str, ...],
    backends: tuple[str, ...],
    device: str,
    jobs: int | None,
    shard: str,
    since: str | None,
    again: bool,
    by_turn: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Verify the named examples, by default all: their files, tests, contract and training.

    Continues where it was stopped, and repeats only what has changed. The reports are
    .examples/reports/verify.json and verify.xml (JUnit).

    Exit codes: 0 all passed, 1 something failed, 5 the device or a package is missing.
    """
    from tools.examples.changed import changed_since
    from tools.examples.progress import Display
    from tools.examples.report.summary import write_reports
    from tools.examples.shard import Shard
    from tools.examples.verify.devices import require_gpu
    from tools.examples.verify.run import Asked, verify

    chosen = tuple(b for b in BACKENDS if not backends or {b, "all"} & {*backends})
    _require(chosen)
    for backend in chosen if device == "gpu" else ():
        require_gpu(backend)
    examples = _chosen(names)
    if since is not None:
        examples = changed_since(since, examples)
    built = _built(Shard.parse(shard).of(examples))
    at_once = jobs or (1 if device == "gpu" else os.cpu_count() or 1)
    asked = Asked(chosen, device, at_once, timeout, again, by_turn)
    display = Display(len(built) + len(asked.units(built)), quiet=as_json)
    found: list[Result] = []
    try:
        with closing(verify(built, asked)) as events:
            found += (result for result in map(display.show, events) if result)
    finally:
        display.erase()
        files = write_reports(found)
    failed = [result for result in found if not result.proved]
    if as_json:
        from scaffold.cli.answer import print_answer

        data = {"results": [one.data() for one in found], "proved": not failed}
        print_answer("examples", result=data, ok=not failed)
    else:
        click.echo(f"{len(found) - len(failed)} proved, {len(failed)} failed: {files}")
    if failed:
        raise click.exceptions.Exit(1)


@command.command("report")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("site"),
    show_default=True,
    help="The folder for the page.",
)
def report_command(into: Path) -> None:
    """Write a page with a card for each example: code, formula, curves, and results."""
    from tools.examples.report.site import write_site
    from tools.examples.verify.results import all_known

    page = write_site(_built(_chosen(())), [*all_known()], into)
    click.echo(f"Open {page.as_posix()}")


def _chosen(names: Sequence[str]) -> list[Example]:
    from tools.examples.listing import choose, load_examples

    return choose(load_examples(), names)


def _built(examples: Sequence[Example]) -> list[Built]:
    from scaffold.cli.progress import Progress
    from scaffold.generation.catalog import Catalog
    from tools.examples.build import build

    catalog, progress = Catalog.builtin(), Progress()
    built = []
    try:
        for number, example in enumerate(examples, start=1):
            progress.show(f"[{number}/{len(examples)}] generating {example.name}")
            built.append(build(example, catalog))
    finally:
        progress.erase()
    return built


def _require(backends: Sequence[str]) -> None:
    from scaffold.conformance.backends import require

    require((*backends, "pytest", "sklearn", "matplotlib", "ruff"))


def _answer_build(plan: ChangeSet, others: Sequence[str], *, ok: bool, written: bool) -> None:
    from scaffold.cli.answer import print_answer

    changes = [{"path": str(change.path), "action": change.action} for change in plan.changes]
    data = {"written": written, "changes": changes, "left_over": list(others), "diff": plan.diff()}
    print_answer("examples", result=data, ok=ok)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    from scaffold.cli import run

    run(command, "python -m tools.examples", arguments)
