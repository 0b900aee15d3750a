"""The commands as data, for `--help --json`: everything is read from what it describes."""

from __future__ import annotations

from typing import Any

import click

from scaffold.errors import KINDS
from scaffold.generation.attributes import TYPES
from scaffold.version import __version__


def described(command: click.Command, ctx: click.Context) -> dict[str, Any]:
    """Return the description of a command, or of all commands of a group."""
    commands = [command]
    if isinstance(command, click.Group):
        found = (command.get_command(ctx, name) for name in command.list_commands(ctx))
        commands = [one for one in found if one is not None]
    return {
        "scaffold": __version__,
        "commands": [_command(one, ctx) for one in commands],
        "types": [
            {"name": kind.keyword, "usage": kind.keyword + kind.takes} for kind in TYPES.values()
        ],
        "errors": [{"kind": one.kind, "exit_code": one.exit_code} for one in KINDS],
    }


def _command(command: click.Command, ctx: click.Context) -> dict[str, Any]:
    params = command.get_params(ctx)
    return {
        "name": command.name,
        "summary": command.get_short_help_str(limit=1000),
        "arguments": [_argument(one) for one in params if isinstance(one, click.Argument)],
        "options": [_option(one) for one in params if isinstance(one, click.Option)],
    }


def _argument(argument: click.Argument) -> dict[str, Any]:
    return {
        "name": argument.name,
        "metavar": argument.metavar,
        "type": argument.type.name,
        "required": argument.required,
        "multiple": argument.nargs == -1,
    }


def _option(option: click.Option) -> dict[str, Any]:
    info = option.to_info_dict()
    return {
        "flags": info["opts"],
        "metavar": option.metavar,
        "type": "flag" if option.is_flag else option.type.name,
        "choices": [*info["type"].get("choices", ())],
        "default": info["default"] or None,
        "required": option.required,
        "multiple": option.multiple,
        "help": option.help,
    }
