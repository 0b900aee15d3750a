"""`scaffold layer`: from a name to a tested layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scaffold.cli.command import Command
from scaffold.cli.generation import Wish, generates, once, run, sources
from scaffold.cli.params import complete_bases
from scaffold.generation.attributes import TYPES
from scaffold.generation.attributes.grammar import Assignment, Declaration

if TYPE_CHECKING:
    from scaffold.generation.request import Request

_HELP = f"""Generate a custom Keras layer NAME with its tests.

An ATTRIBUTE is name=value for an attribute of the template, or
name:type=default{{constraint}} for a new one. Quote it for the shell.

\b
scaffold layer MyConv filters=32 kernel_size=3
scaffold layer GatedDense 'gain:float=1.0{{>0}}' 'mode:enum(sum,mean)=sum'

Types: {", ".join(kind.keyword + kind.takes.partition("{")[0] for kind in TYPES.values())}.
"""


@click.command("layer", cls=Command, help=_HELP)
@generates(
    click.option(
        "--base",
        metavar="LAYER",
        shell_complete=complete_bases,
        help="Derive from a Keras layer, such as keras.layers.Dense.",
    )
)
def command(**typed: Any) -> None:
    """Turn the command line into a request, and run it."""
    run(*asked(**typed))


def asked(
    name: str | None,
    attributes: tuple[Assignment | Declaration, ...],
    template: str | None,
    options: tuple[tuple[str, str], ...],
    base: str | None,
    package: str | None,
    **wish: Any,
) -> tuple[Request, Wish]:
    """Return the command line as a request and where it goes."""
    from scaffold.generation.request import Request

    request = Request(
        "layer",
        name,
        template,
        package,
        once(options),
        attributes,
        base,
        sources=sources(),
    )
    return request, Wish(**wish)
