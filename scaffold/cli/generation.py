"""What the commands that generate have in common: their options, the run, and its answer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from scaffold.changes import OnConflict
from scaffold.cli import writing
from scaffold.cli.answer import print_answer
from scaffold.cli.attribute_param import AttributeParam
from scaffold.cli.failure import colored_diff
from scaffold.cli.params import OptionParam, complete_templates
from scaffold.errors import MissingError, UsageError

if TYPE_CHECKING:
    from scaffold.changes import Change, Plan
    from scaffold.generation.catalog import Catalog
    from scaffold.generation.generate import Layout
    from scaffold.generation.spec import Request, Spec
    from scaffold.settings import Settings
    from scaffold.workspace import Workspace

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_NAMED = (
    click.argument("name", required=False),
    click.argument("attributes", nargs=-1, type=AttributeParam()),
    click.option(
        "--template",
        "-t",
        shell_complete=complete_templates,
        help="Which template, by its name or one of its words; else by the words of NAME.",
    ),
    click.option(
        "--option",
        "-o",
        "options",
        multiple=True,
        type=OptionParam(),
        metavar="KEY=VALUE",
        help="An option of the template.",
    ),
)
_WRITTEN = (
    click.option("--into", type=_FOLDER, help="The folder for the class.  [default: here]"),
    click.option(
        "--tests-into", type=_FOLDER, help="The folder for the test.  [default: beside the class]"
    ),
    click.option("--no-tests", is_flag=True, help="Write no test."),
    click.option(
        "--package",
        help="The name that Keras registers the class under.  [default: the project's]",
    ),
    click.option("--no-export", is_flag=True, help="Leave the package's __init__.py as it is."),
    *writing.OPTIONS,
    click.option("--from", "from_file", type=_FILE, help="A spec file to begin with."),
    click.option("--save-spec", type=_FILE, help="Write the spec to a file as well."),
    click.option("--interactive", "-i", is_flag=True, help="Ask for what is not given."),
)


def generates(*own: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Give a command the options of all that generate, and its `own` among them."""
    return writing.with_options((*_NAMED, *own, *_WRITTEN))


@dataclass(frozen=True)
class Wish:
    """What was typed behind a command of how to write, and what to answer."""

    into: Path | None
    tests_into: Path | None
    no_tests: bool
    no_export: bool
    dry_run: bool
    show_diff: bool
    as_json: bool
    on_conflict: OnConflict
    from_file: Path | None
    save_spec: Path | None
    interactive: bool
    no_training: bool = False

    @property
    def writes_nothing(self) -> bool:
        return self.dry_run or self.show_diff


def run(request: Request, wish: Wish) -> None:
    """Turn what was asked for into a plan, commit it, and say so."""
    from scaffold.generation.catalog import Catalog

    _check_folder_options(wish.no_tests, wish.tests_into)
    catalog = Catalog.builtin()
    if wish.from_file is not None:
        request = request.over(_read_spec_file(wish.from_file))
    if wish.interactive:
        from scaffold.cli.prompts import ask

        request = ask(catalog, request)
    begun = _begin(catalog, request, wish)
    if wish.writes_nothing:
        plan = begun.plan(wish.on_conflict, wish.save_spec)
    else:
        plan = begun.write(wish.on_conflict, wish.save_spec)
    _answer(begun, plan, wish)


def _begin(catalog: Catalog, request: Request, wish: Wish) -> _Run:
    """What the command works with; a person is asked where the name leaves the template open."""
    from scaffold.cli.asking import can_ask
    from scaffold.generation.near import UndecidedError

    try:
        return _Run.begin(catalog, request, wish)
    except UndecidedError as error:
        if wish.as_json or not can_ask():
            raise
        from scaffold.cli.prompts import settle

        return _Run.begin(catalog, settle(catalog, request, error), wish)


def once(options: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Options as a dict, each given once.

    Raises:
        UsageError: If one is given twice.
    """
    known = dict(options)
    for key in known:
        if sum(other == key for other, _ in options) > 1:
            raise UsageError(f"option `{key}` is given twice", mend="Leave one of them out.")
    return known


@dataclass(frozen=True)
class _Run:
    """What one call of the command works with, all of it checked."""

    catalog: Catalog
    request: Request
    spec: Spec
    reason: str
    notes: Sequence[str]
    settings: Settings
    workspace: Workspace
    layout: Layout
    exports: bool

    @classmethod
    def begin(
        cls,
        catalog: Catalog,
        request: Request,
        wish: Wish,
    ) -> _Run:
        from scaffold.generation.spec import make_spec, notes_of, template_of
        from scaffold.pyproject import nearest_project
        from scaffold.settings import load_settings
        from scaffold.workspace import Workspace

        here = Path.cwd()
        start = Path(os.path.normpath(here / wish.into)) if wish.into else here
        settings = load_settings(start, here)
        spec, reason = make_spec(catalog, request, settings.package)
        given = {attribute.name for attribute in request.attributes}
        notes = notes_of(spec, template_of(catalog, spec), given)
        workspace = Workspace(nearest_project(here) or here)
        layout = _layout(workspace, settings, wish, spec.target)
        exports = settings.exports and bool(layout.packages) and not wish.no_export
        return cls(catalog, request, spec, reason, notes, settings, workspace, layout, exports)

    def plan(self, on_conflict: OnConflict, save_spec: Path | None) -> Plan:
        from scaffold.generation.generate import generate
        from scaffold.generation.render import Style

        style = Style(self.settings.license_header, self.settings.black)
        files = dict(generate(self.catalog, self.spec, style, self.layout))
        if save_spec is not None:
            from scaffold.generation.composition import with_homes
            from scaffold.generation.spec_file import write_spec

            path = self.workspace.confine(save_spec)
            if path in files:
                raise UsageError(
                    f"--save-spec {save_spec} is where the generated code goes",
                    mend="Name another file, such as spec.toml.",
                )
            layers = with_homes(self.spec.layers, lambda home: _to(save_spec, home))
            files[path] = write_spec(replace(self.spec, layers=layers))
        plan = writing.plan_of(self.workspace, files, on_conflict)
        return replace(plan, changes=(*plan.changes, *self._edits(plan))) if self.exports else plan

    def _edits(self, plan: Plan) -> Iterator[Change]:
        """The change by which the package offers the classes that it has once `plan` is done."""
        from scaffold.changes import Change
        from scaffold.generation.generate import exported
        from scaffold.package_init import with_exports

        written = {change.path: change.after for change in plan.changes}

        def source_of(path: PurePosixPath) -> bytes | None:
            return written.get(path) or self.workspace.read(path)

        path = self.layout.into / "__init__.py"
        before = self.workspace.read(path)
        classes = list(exported(self.catalog, self.spec, self.layout, source_of))
        if before is not None and classes:
            after = with_exports(
                before, classes, self.settings.black, writing.shown(self.workspace, path)
            )
            yield Change(path, before, after, edits=True)

    def write(self, on_conflict: OnConflict, save_spec: Path | None) -> Plan:
        with self.workspace.transaction() as transaction:
            plan = self.plan(on_conflict, save_spec)
            transaction.commit(plan.changes)
        return plan

    def next_step(self) -> str:
        from scaffold.generation.generate import next_step

        here = Path.cwd()
        return next_step(self.spec, self.layout, self.settings, self.workspace.root, here)

    def deriving_step(self, wish: Wish) -> tuple[str, str]:
        """The layer of Keras that does the same, and the line that derives from it instead."""
        from scaffold.cli.deriving import derived, typed

        asked = derived(self.catalog, self.request, self.spec)
        if asked is None:
            return "", ""
        line = typed(
            asked,
            {"into": wish.into, "tests-into": wish.tests_into},
            {"no-tests": wish.no_tests, "no-export": wish.no_export},
        )
        return str(asked.base), line if wish.writes_nothing else f"{line} --on-conflict overwrite"

    def training_step(self) -> str:
        """The line that trains what was generated, if there is a script for it."""
        from scaffold.generation.generate import training_step
        from scaffold.generation.spec import template_of

        template = template_of(self.catalog, self.spec)
        root, here = self.workspace.root, Path.cwd()
        return training_step(template, self.spec, self.layout, self.settings, root, here)


def _layout(workspace: Workspace, settings: Settings, wish: Wish, target: str) -> Layout:
    from scaffold.generation.generate import Layout
    from scaffold.modules import packages_of

    into = settings.into_for(target)
    folder = wish.into or (settings.folder / into if into else Path())
    beside = settings.folder / settings.tests_into if settings.tests_into else folder
    inside = workspace.confine(folder)
    packages, root = packages_of(workspace.root / inside)
    tests = None if wish.no_tests else workspace.confine(wish.tests_into or beside)
    scripts = None
    if not wish.no_training:
        found = root if root.is_relative_to(workspace.root) else workspace.root / inside
        into_scripts = settings.scripts_into
        scripts = workspace.confine(settings.folder / into_scripts if into_scripts else found)
    _, tests_root = packages_of(workspace.root / (tests or inside))
    return Layout(inside, tests, packages, root, tests_root, scripts)


def _check_folder_options(no_tests: bool, tests_into: Path | None) -> None:
    if no_tests and tests_into is not None:
        raise UsageError(
            "--no-tests and --tests-into contradict each other", mend="Leave one of them out."
        )


def _read_spec_file(path: Path) -> Request:
    from scaffold.generation.composition import with_homes
    from scaffold.generation.spec_file import MOST_BYTES, read_spec

    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise MissingError(f"there is no spec file {path}", mend="Is the path right?") from None
    request = read_spec(data, str(path))
    return replace(request, layers=with_homes(request.layers, lambda home: _from(path, home)))


def _from(spec_file: Path, home: str) -> str:
    """A file that a spec names, as one would type it here."""
    return Path(os.path.relpath(spec_file.parent / home)).as_posix()


def _to(spec_file: Path, home: str) -> str:
    """A file that was typed here, as a spec file names it."""
    return Path(os.path.relpath(home, spec_file.parent)).as_posix()


def _answer(run: _Run, plan: Plan, wish: Wish) -> None:
    if wish.as_json:
        data = _data(run, plan, wish)
        print_answer(run.spec.target, result=data)
        return
    if wish.show_diff:
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
    rows = [writing.row(run.workspace, word, change) for word, change in writing.done(plan)]
    writing.show_rows(rows)
    if wish.writes_nothing:
        click.echo("Nothing was written: this was a dry run.")
        return
    click.echo(f"Next: {click.style(run.next_step(), fg='cyan')}")
    if training := run.training_step():
        click.echo(f"Then: {click.style(training, fg='cyan')}")
    base, deriving = run.deriving_step(wish)
    if base:
        click.echo(f"Or derive from {base}: {click.style(deriving, fg='cyan')}")


def _data(run: _Run, plan: Plan, wish: Wish) -> dict[str, Any]:
    spec = run.spec
    data: dict[str, Any] = {
        "name": spec.name,
        "registered_name": f"{spec.package}>{spec.name}",
        "module": run.layout.module(spec),
        "template": spec.template,
        "reason": run.reason,
        "options": dict(spec.options),
        "notes": list(run.notes),
        "written": not wish.writes_nothing,
        **writing.facts(run.workspace, plan),
        "next": run.next_step(),
    }
    if spec.target == "model":
        data["training"] = run.training_step()
    else:
        _, data["deriving"] = run.deriving_step(wish)
    if wish.show_diff:
        data["diff"] = plan.diff()
    return data
