"""The command line: the only part that talks to the terminal.

Commands are imported when they are called, so that help is fast.
"""

from __future__ import annotations

import gc
import importlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from typing import NoReturn

import click

from scaffold.cli.command import Command, wants_json, words_of
from scaffold.version import __version__

_COMMANDS = {
    "check": "Check layers and models against Keras's contract.",
    "layer": "Generate a custom Keras layer with its tests.",
    "list": "List the templates.",
    "model": "Generate a custom Keras model with its tests and a training script.",
    "project": "Generate a complete Keras project.",
    "show": "Show one template: formula, attributes, options, code.",
}
_HELP = """Complete, tested custom Keras 3 layers and models from templates.

\b
scaffold layer MyConv filters=32         a layer and its test
scaffold model MyResNet                  a model, its test and a training script
scaffold project my_project              a whole project
scaffold list                            all templates
scaffold show conv                       one template in detail
scaffold check my_conv.py                a check against Keras's contract

\b
Exit codes: 0 success, 1 problem found, 2 usage error, 3 conflict (nothing
written), 4 refused as unsafe, 5 something missing.
"""


class _LazyGroup(Command, click.Group):
    """A group whose commands are modules of this package, imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"scaffold.cli.{cmd_name}_command")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in _COMMANDS and not args[0].startswith("-"):
            from scaffold.errors import UsageError
            from scaffold.text import nearest, shown

            raise UsageError(
                f"unknown command `{shown(args[0])}`{nearest(args[0], _COMMANDS)}",
                fix=f"The commands are {', '.join(_COMMANDS)}; see `scaffold --help`.",
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))


def _show_version(ctx: click.Context, param: click.Parameter, given: bool) -> None:
    if not given or ctx.resilient_parsing:
        return
    if wants_json(words_of(ctx)):
        from scaffold.cli.answer import print_answer

        print_answer(None, result={"scaffold": __version__})
    else:
        click.echo(f"scaffold, version {__version__}", color=ctx.color)
    ctx.exit()


@click.group(
    cls=_LazyGroup,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the result as JSON, also of --help and --version.",
)
@click.pass_context
def cli(ctx: click.Context, as_json: bool) -> None:
    """Group all commands; the help text is `_HELP`."""
    ctx.default_map = {name: {"as_json": as_json} for name in _COMMANDS}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its exit code."""
    run(cli, "scaffold", arguments)


def run(command: click.Command, name: str, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command as the program `name` and exit with its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    color = False if os.environ.get("NO_COLOR") else None
    if "_SCAFFOLD_COMPLETE" in os.environ:
        importlib.import_module("scaffold.cli.completion")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _run(command, name, words, color)
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - the reader is gone
        code = 1
    sys.exit(code)


def entry() -> NoReturn:
    """Run `main` in its own process, which ends before garbage collection would pay off."""
    gc.disable()
    try:
        main()
    finally:
        gc.freeze()  # Otherwise the interpreter goes through all of it once more at exit.


def _run(command: click.Command, name: str, words: Sequence[str], color: bool | None) -> int:
    try:
        code = command.main(words, prog_name=name, standalone_mode=False, color=color)
    except BrokenPipeError:
        raise
    except (Exception, KeyboardInterrupt) as error:
        from scaffold.cli.failure import report

        asked = command.name if command is not cli else next(_plain(words), None)
        return report(error, words, color, asked)
    return code if isinstance(code, int) else 0


def _plain(words: Sequence[str]) -> Iterator[str]:
    return (word for word in words if not word.startswith("-"))
