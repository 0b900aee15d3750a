"""`scaffold model`: from a name to a tested model with its training script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scaffold.cli.command import Command
from scaffold.cli.generation import Wish, generates, once, run, sources
from scaffold.cli.params import complete_layers
from scaffold.generation.attributes.grammar import Assignment, Declaration
from scaffold.generation.flags import flags

if TYPE_CHECKING:
    from scaffold.generation.request import Request

_HELP = """Generate a custom Keras model NAME with its tests and a training script.

An ATTRIBUTE is name=value for an attribute of the template, or
name:type=default{constraint} for a new one. Quote it for the shell.

\b
scaffold model MyResNet --style functional
scaffold model MyMLP hidden_units=128,64 --head regression
scaffold model MyNet --layer conv:filters=32 --layer Flatten --layer Dense:units=10
"""
_FLAGS = flags("model")


@click.command("model", cls=Command, help=_HELP)
@generates(
    *(
        click.option(f"--{name}", metavar=name.upper(), help=f"{text} (--option {name}).")
        for name, text in _FLAGS.items()
    ),
    click.option(
        "--layer",
        "layers",
        multiple=True,
        metavar="LAYER",
        shell_complete=complete_layers,
        help="Compose the model of layers: a Keras layer, a template, or file.py:Class, with "
        "arguments as in Dense:units=10. Repeat for each layer.",
    ),
    click.option("--loss", default="", help="The loss of `compile_for_training`."),
    click.option("--optimizer", default="", help="The optimizer, such as AdamW:weight_decay=0.01."),
    click.option("--metric", "metrics", multiple=True, help="A metric. Repeat for each metric."),
    click.option("--no-training", is_flag=True, help="Don't write a training script."),
)
def command(**typed: Any) -> None:
    """Turn the command line into a request, and run it."""
    run(*asked(**typed))


def asked(
    name: str | None,
    attributes: tuple[Assignment | Declaration, ...],
    template: str | None,
    options: tuple[tuple[str, str], ...],
    layers: tuple[str, ...],
    loss: str,
    optimizer: str,
    metrics: tuple[str, ...],
    package: str | None,
    **further: Any,
) -> tuple[Request, Wish]:
    """Return the command line as a request and where it goes."""
    from scaffold.generation.composition import CompileArguments, read_use
    from scaffold.generation.request import Request

    short = {name: further.pop(name) for name in _FLAGS}
    chosen = once((*options, *((key, value) for key, value in short.items() if value is not None)))
    request = Request(
        "model",
        name,
        template,
        package,
        chosen,
        attributes,
        layers=tuple(map(read_use, layers)),
        compiled=CompileArguments(loss, optimizer, metrics),
        sources=sources(_FLAGS),
    )
    return request, Wish(**further)
