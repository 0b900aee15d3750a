"""What `scaffold layer` and `scaffold model` share: their options, the run, and its answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scaffold.cli import writing
from scaffold.cli.answer import print_answer
from scaffold.cli.attribute_param import AttributeParam
from scaffold.cli.failure import colored_diff
from scaffold.cli.params import OptionParam, complete_templates
from scaffold.cli.typed import TypedKey, typed_now
from scaffold.errors import Source, UsageError
from scaffold.text import shown

if TYPE_CHECKING:
    from scaffold.changes import OnConflict
    from scaffold.generation.catalog import Catalog
    from scaffold.generation.request import Request
    from scaffold.planning import Folders, Plan, Project

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_NAMED = (
    click.argument("name", required=False),
    click.argument("attributes", nargs=-1, type=AttributeParam()),
    click.option(
        "--template",
        "-t",
        shell_complete=complete_templates,
        help="The template, by its name or an alias.  [default: chosen by NAME]",
    ),
    click.option(
        "--option",
        "-o",
        "options",
        multiple=True,
        type=OptionParam(),
        metavar="KEY=VALUE",
        help="A template option.",
    ),
)
_WRITTEN = (
    click.option(
        "--into", type=_FOLDER, help="The folder for the class.  [default: the current one]"
    ),
    click.option(
        "--tests-into", type=_FOLDER, help="The folder for the test.  [default: that of the class]"
    ),
    click.option("--no-tests", is_flag=True, help="Don't write a test."),
    click.option(
        "--package",
        help="The package to register the class under.  [default: the project's]",
    ),
    click.option("--no-export", is_flag=True, help="Don't edit the package's __init__.py."),
    *writing.OPTIONS,
    click.option("--from", "from_file", type=_FILE, help="A spec file to start from."),
    click.option("--save-spec", type=_FILE, help="Also write the spec to a file."),
    click.option("--interactive", "-i", is_flag=True, help="Prompt for what is not given."),
)


def generates(*own: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Add the shared options to a command, with its `own` among them."""
    return writing.with_options((*_NAMED, *own, *_WRITTEN))


@dataclass(frozen=True)
class Wish:
    """How to write and what to answer, as typed."""

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

    @property
    def folders(self) -> Folders:
        from scaffold.planning import Folders

        if self.no_tests and self.tests_into is not None:
            raise UsageError(
                "--no-tests and --tests-into can't be used together", fix="Remove one of them."
            )
        return Folders(
            self.into,
            self.tests_into,
            tests=not self.no_tests,
            training=not self.no_training,
            exports=not self.no_export,
        )


def read(words: Sequence[str]) -> tuple[Request, Wish]:
    """Read a command line such as `["layer", "MyConv", "filters=32"]`.

    Raises:
        UsageError: If it is malformed.
    """
    name, *rest = words or [""]
    if name not in ("layer", "model"):
        raise UsageError(
            f"`{shown(name)}` does not generate a class", fix="Use `layer` or `model`."
        )
    module = import_module(f"scaffold.cli.{name}_command")
    try:
        with module.command.make_context(name, rest) as context:
            asked: tuple[Request, Wish] = module.asked(**context.params)
    except click.exceptions.Exit:
        raise UsageError("the command only shows help", fix="Remove --help.") from None
    except click.UsageError as error:
        raise UsageError(error.format_message()) from None
    return asked


def run(request: Request, wish: Wish) -> None:
    """Turn the request into a plan, commit it, and report it."""
    from scaffold.generation.catalog import Catalog
    from scaffold.generation.spec_file import from_file
    from scaffold.planning import Project

    folders = wish.folders
    catalog = Catalog.builtin()
    if wish.from_file is not None:
        request = request.over(from_file(wish.from_file))
    if wish.interactive:
        from scaffold.cli.prompts import ask

        request = ask(catalog, request)
    done = _Done(catalog, *_planned(catalog, Project(), request, folders, wish))
    _answer(done, wish)


def _planned(
    catalog: Catalog, project: Project, request: Request, folders: Folders, wish: Wish
) -> tuple[Request, Plan]:
    """Return the plan and its request; the user is asked if the name leaves the template open."""
    from scaffold.cli.asking import can_ask
    from scaffold.generation.near import UndecidedError

    def planned(request: Request) -> tuple[Request, Plan]:
        act = project.plan if wish.writes_nothing else project.generate
        plan = act(request, folders, on_conflict=wish.on_conflict, save_spec=wish.save_spec)
        return request, plan

    try:
        return planned(request)
    except UndecidedError as error:
        if wish.as_json or not can_ask():
            raise
        from scaffold.cli.prompts import settle

        return planned(settle(catalog, request, error))


def once(options: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the options as a dict, each given once.

    Raises:
        UsageError: If one is given twice.
    """
    known = dict(options)
    for key in known:
        if sum(other == key for other, _ in options) > 1:
            raise UsageError(f"option `{key}` is given twice", fix="Remove one of them.")
    return known


def sources(flags: Collection[str] = ()) -> dict[str, Source]:
    """Return where the parts of a request were typed, as in `Request.sources`.

    Args:
        flags: The options of the template that have a flag of their own.
    """
    found: dict[str, Source] = {}
    for name, typed in typed_now():
        match name:
            case "options":
                key = typed.given.partition("=")[0].strip()
                found[f"option {key}"] = TypedKey(typed.text, typed.flag, typed.start)
            case _ if name in flags:
                found[f"option {name}"] = typed
            case "metrics":
                found[f"metric {typed.given}"] = typed
            case _:
                found[name] = typed
    return found


@dataclass(frozen=True)
class _Done:
    """What one run of the command has done or would do."""

    catalog: Catalog
    request: Request
    plan: Plan

    def deriving_step(self, wish: Wish) -> tuple[str, str]:
        """Return the equivalent Keras layer, and the command that derives from it instead."""
        from scaffold.cli.deriving import derived, typed

        asked = derived(self.catalog, self.request, self.plan.resolved)
        if asked is None:
            return "", ""
        line = typed(
            asked,
            {"into": wish.into, "tests-into": wish.tests_into},
            {"no-tests": wish.no_tests, "no-export": wish.no_export},
        )
        return str(asked.base), line if wish.writes_nothing else f"{line} --on-conflict overwrite"


def _answer(done: _Done, wish: Wish) -> None:
    plan = done.plan
    if wish.as_json:
        data = _data(done, wish)
        print_answer(plan.spec.target, result=data)
        return
    if wish.show_diff:
        click.echo(colored_diff(plan.diff()), nl=False)
        return
    spec = plan.spec
    options = "".join(f" {key}={value}" for key, value in spec.options.items())
    click.echo(
        f"{click.style(spec.name, bold=True)}: template {spec.template}{options} ({plan.reason})"
    )
    click.echo(f"registered as {spec.package}>{spec.name}")
    for note in plan.notes:
        click.echo(f"note: {note}")
    workspace = plan.workspace
    rows = [writing.row(workspace, word, one) for word, one in writing.done(plan.changes)]
    writing.show_rows(rows)
    if wish.writes_nothing:
        click.echo("Nothing was written: this was a dry run.")
        return
    click.echo(f"Next: {click.style(plan.next, fg='cyan')}")
    if plan.training:
        click.echo(f"Then: {click.style(plan.training, fg='cyan')}")
    base, deriving = done.deriving_step(wish)
    if base:
        click.echo(f"Or derive from {base}: {click.style(deriving, fg='cyan')}")


def _data(done: _Done, wish: Wish) -> dict[str, Any]:
    plan, spec = done.plan, done.plan.spec
    data: dict[str, Any] = {
        "name": spec.name,
        "registered_name": f"{spec.package}>{spec.name}",
        "module": plan.module,
        "template": spec.template,
        "reason": plan.reason,
        "options": dict(spec.options),
        "notes": list(plan.notes),
        "written": not wish.writes_nothing,
        **writing.facts(plan.workspace, plan.changes, with_content=wish.dry_run),
        "next": "" if wish.writes_nothing else plan.next,
    }
    if spec.target == "model":
        data["training"] = "" if wish.writes_nothing else plan.training
    else:
        _, data["deriving"] = done.deriving_step(wish)
    if wish.show_diff:
        data["diff"] = plan.diff()
    return data
