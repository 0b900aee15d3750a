"""`scaffold layer`: from a name to a tested layer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from scaffold.attributes import TYPES
from scaffold.attributes.grammar import Assignment, Declaration
from scaffold.attributes.param import AttributeParam
from scaffold.cli.answer import print_answer
from scaffold.cli.failure import colored_diff
from scaffold.cli.params import OptionParam, complete_bases, complete_templates
from scaffold.errors import MissingError, UsageError
from scaffold.plan import OnConflict

if TYPE_CHECKING:
    from scaffold.catalog import Catalog
    from scaffold.generate import Layout
    from scaffold.plan import Plan
    from scaffold.settings import Settings
    from scaffold.spec import Request, Spec
    from scaffold.workspace import Workspace

_HELP = f"""Generate a custom Keras layer NAME with its tests.

An ATTRIBUTE is name=value for one that the template has, or
name:type=default{{constraint}} for one of your own. Quote it for the shell.

\b
scaffold layer MyConv filters=32 kernel_size=3
scaffold layer GatedDense 'gain:float=1.0{{>0}}' 'mode:enum(sum,mean)=sum'

Types: {", ".join(kind.keyword + kind.takes.partition("{")[0] for kind in TYPES.values())}.
"""
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("layer", help=_HELP)
@click.argument("name", required=False)
@click.argument("attributes", nargs=-1, type=AttributeParam())
@click.option(
    "--template",
    "-t",
    shell_complete=complete_templates,
    help="Which template; else by the name's last word.",
)
@click.option(
    "--base",
    metavar="LAYER",
    shell_complete=complete_bases,
    help="Derive from a layer of Keras, such as keras.layers.Dense.",
)
@click.option(
    "--option",
    "-o",
    "options",
    multiple=True,
    type=OptionParam(),
    metavar="KEY=VALUE",
    help="An option of the template.",
)
@click.option("--into", type=_FOLDER, help="The folder for the class.  [default: here]")
@click.option(
    "--tests-into", type=_FOLDER, help="The folder for the test.  [default: beside the class]"
)
@click.option("--no-tests", is_flag=True, help="Write no test.")
@click.option(
    "--package", help="The name that Keras registers the class under.  [default: the project's]"
)
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@click.option(
    "--diff", "show_diff", is_flag=True, help="Show what would change as a diff, and write nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.option(
    "--on-conflict",
    type=click.Choice(["fail", "skip", "overwrite", "new"]),
    default="fail",
    show_default=True,
    help="Where a file differs: stop, leave it, replace it, or write beside it (.new).",
)
@click.option(
    "--from",
    "from_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A spec file to begin with.",
)
@click.option(
    "--save-spec",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the spec to a file as well.",
)
@click.option("--interactive", "-i", is_flag=True, help="Ask for what is not given.")
def command(
    name: str | None,
    attributes: tuple[Assignment | Declaration, ...],
    template: str | None,
    base: str | None,
    options: tuple[tuple[str, str], ...],
    into: Path | None,
    tests_into: Path | None,
    no_tests: bool,
    package: str | None,
    dry_run: bool,
    show_diff: bool,
    as_json: bool,
    on_conflict: OnConflict,
    from_file: Path | None,
    save_spec: Path | None,
    interactive: bool,
) -> None:
    """Turn what was typed into a plan, and commit it."""
    from scaffold.catalog import Catalog
    from scaffold.spec import Request

    _check_folder_options(no_tests, tests_into)
    catalog = Catalog.builtin()
    request = Request("layer", name, template, package, _once(options), attributes, base)
    if from_file is not None:
        request = request.over(_read_spec_file(from_file))
    if interactive:
        from scaffold.cli.prompts import ask

        request = ask(catalog, request)
    run = _Run.begin(catalog, request, into, tests_into, tests=not no_tests)
    if dry_run or show_diff:
        plan = run.plan(on_conflict, save_spec)
    else:
        plan = run.write(on_conflict, save_spec)
    _answer(run, plan, written=not (dry_run or show_diff), as_json=as_json, show_diff=show_diff)


@dataclass(frozen=True)
class _Run:
    """What one call of the command works with, all of it checked."""

    catalog: Catalog
    spec: Spec
    reason: str
    notes: Sequence[str]
    settings: Settings
    workspace: Workspace
    layout: Layout

    @classmethod
    def begin(
        cls,
        catalog: Catalog,
        request: Request,
        into: Path | None,
        tests_into: Path | None,
        *,
        tests: bool,
    ) -> _Run:
        from scaffold.settings import load_settings, nearest_project
        from scaffold.spec import arguments_of, make_spec, notes_of, template_of
        from scaffold.workspace import Workspace

        here = Path.cwd()
        start = Path(os.path.normpath(here / into)) if into else here
        settings = load_settings(start, here)
        spec, reason = make_spec(catalog, request, settings.package)
        notes = notes_of(spec, arguments_of(spec, template_of(catalog, spec)))
        workspace = Workspace(nearest_project(here) or here)
        layout = _layout(workspace, settings, into, tests_into, tests=tests)
        return cls(catalog, spec, reason, notes, settings, workspace, layout)

    def plan(self, on_conflict: OnConflict, save_spec: Path | None) -> Plan:
        from scaffold.generate import generate
        from scaffold.plan import FilesDifferError, make_plan
        from scaffold.render import Style

        style = Style(self.settings.license_header, self.settings.black)
        files = dict(generate(self.catalog, self.spec, style, self.layout))
        if save_spec is not None:
            from scaffold.spec_file import write_spec

            path = self.workspace.confine(save_spec)
            if path in files:
                raise UsageError(
                    f"--save-spec {save_spec} is where the generated code goes",
                    mend="Name another file, such as spec.toml.",
                )
            files[path] = write_spec(self.spec)
        try:
            return make_plan(files, self.workspace.read, on_conflict)
        except FilesDifferError as error:
            raise FilesDifferError(error.plan, self.shown) from None

    def write(self, on_conflict: OnConflict, save_spec: Path | None) -> Plan:
        with self.workspace.transaction() as transaction:
            plan = self.plan(on_conflict, save_spec)
            transaction.commit(plan.changes)
        return plan

    def next_step(self) -> str:
        from scaffold.generate import next_step

        here = Path.cwd()
        return next_step(self.spec, self.layout, self.settings, self.workspace.root, here)

    def shown(self, path: PurePosixPath) -> str:
        """`path` as one would type it here."""
        return Path(os.path.relpath(self.workspace.root / path)).as_posix()


def _layout(
    workspace: Workspace,
    settings: Settings,
    into: Path | None,
    tests_into: Path | None,
    *,
    tests: bool,
) -> Layout:
    from scaffold.generate import Layout

    folder = into or (settings.folder / settings.into if settings.into else Path())
    beside = settings.folder / settings.tests_into if settings.tests_into else folder
    inside = workspace.confine(folder)
    packages: list[str] = []
    root = inside
    while root.name.isidentifier() and (workspace.root / root / "__init__.py").is_file():
        packages.insert(0, root.name)
        root = root.parent
    tests_folder = workspace.confine(tests_into or beside) if tests else None
    return Layout(inside, tests_folder, tuple(packages), root)


def _once(options: Sequence[tuple[str, str]]) -> dict[str, str]:
    once = dict(options)
    for key in once:
        if sum(other == key for other, _ in options) > 1:
            raise UsageError(f"option `{key}` is given twice", mend="Leave one of them out.")
    return once


def _check_folder_options(no_tests: bool, tests_into: Path | None) -> None:
    if no_tests and tests_into is not None:
        raise UsageError(
            "--no-tests and --tests-into contradict each other", mend="Leave one of them out."
        )


def _read_spec_file(path: Path) -> Request:
    from scaffold.spec_file import MOST_BYTES, read_spec

    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise MissingError(f"there is no spec file {path}", mend="Is the path right?") from None
    return read_spec(data, str(path))


def _answer(run: _Run, plan: Plan, *, written: bool, as_json: bool, show_diff: bool) -> None:
    if as_json:
        print_answer("layer", result=_data(run, plan, written=written, show_diff=show_diff))
        return
    if show_diff:
        click.echo(colored_diff(plan.diff()), nl=False)
        return
    spec = run.spec
    options = "".join(f" {key}={value}" for key, value in spec.options.items())
    click.echo(
        f"{click.style(spec.name, bold=True)}: template {spec.template}{options} ({run.reason})"
    )
    click.echo(f"registered as {spec.package}>{spec.name}")
    for note in run.notes:
        click.echo(f"note: {note}")
    _show_changes(run, plan)
    if not written:
        click.echo("Nothing was written: this was a dry run.")
        return
    click.echo(f"Next: {click.style(run.next_step(), fg='cyan')}")


def _show_changes(run: _Run, plan: Plan) -> None:
    words = {"create": "create", "replace": "replace", "keep": "unchanged"}
    colors = {"create": "green", "replace": "yellow", "skipped": "yellow"}
    rows = [(words[change.action], change) for change in plan.changes]
    rows += [("skipped", change) for change in plan.skipped]
    width = max(len(run.shown(change.path)) for _, change in rows)
    for word, change in rows:
        action = click.style(f"{word:>9}", fg=colors.get(word))
        lines = change.after.count(b"\n")
        what = "differs" if word == "skipped" else f"{lines:>4} lines"
        click.echo(f"{action}  {run.shown(change.path):<{width}}  {what}")


def _data(run: _Run, plan: Plan, *, written: bool, show_diff: bool) -> dict[str, Any]:
    spec = run.spec
    data: dict[str, Any] = {
        "name": spec.name,
        "registered_name": f"{spec.package}>{spec.name}",
        "module": run.layout.module(spec),
        "template": spec.template,
        "reason": run.reason,
        "options": dict(spec.options),
        "notes": list(run.notes),
        "written": written,
        "changes": [
            {
                "path": run.shown(change.path),
                "action": change.action,
                "content": change.after.decode("utf-8"),
            }
            for change in plan.changes
        ],
        "skipped": [run.shown(change.path) for change in plan.skipped],
        "next": run.next_step(),
    }
    if show_diff:
        data["diff"] = plan.diff()
    return data
