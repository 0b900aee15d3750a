"""`scaffold model`: from a name to a tested model with its training script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scaffold.cli.generation import Wish, generates, once, run
from scaffold.cli.params import complete_layers
from scaffold.generation.attributes.grammar import Assignment, Declaration

if TYPE_CHECKING:
    from scaffold.generation.spec import Request

_HELP = """Generate a custom Keras model NAME with its tests and a training script.

An ATTRIBUTE is name=value for one that the template has, or
name:type=default{constraint} for one of your own. Quote it for the shell.

\b
scaffold model MyResNet --style functional
scaffold model MyMLP hidden_units=128,64 --head regression
scaffold model MyNet --layer conv:filters=32 --layer Flatten --layer Dense:units=10
"""


@click.command("model", help=_HELP)
@generates(
    click.option(
        "--style",
        metavar="STYLE",
        help="How the class is written: subclass, functional or sequential; --option style.",
    ),
    click.option(
        "--head",
        metavar="HEAD",
        help="What the model ends in: classification, regression, embedding, none; --option head.",
    ),
    click.option(
        "--layer",
        "layers",
        multiple=True,
        metavar="LAYER",
        shell_complete=complete_layers,
        help="Compose the model of layers: one of Keras, a template's word, or file.py:Class, "
        "with arguments as in Dense:units=10; give one for each.",
    ),
    click.option("--loss", default="", help="What `compile_for_training` compiles with."),
    click.option("--optimizer", default="", help="Likewise, such as AdamW:weight_decay=0.01."),
    click.option("--metric", "metrics", multiple=True, help="Likewise; give one for each."),
    click.option("--no-training", is_flag=True, help="Write no training script."),
)
def command(**typed: Any) -> None:
    """Turn what was typed into a request, and run it."""
    run(*asked(**typed))


def asked(
    name: str | None,
    attributes: tuple[Assignment | Declaration, ...],
    template: str | None,
    options: tuple[tuple[str, str], ...],
    style: str | None,
    head: str | None,
    layers: tuple[str, ...],
    loss: str,
    optimizer: str,
    metrics: tuple[str, ...],
    package: str | None,
    **wish: Any,
) -> tuple[Request, Wish]:
    """What was typed, as a request and where it goes."""
    from scaffold.generation.composition import Compiled, read_use
    from scaffold.generation.spec import Request

    short = {"style": style, "head": head}
    chosen = once((*options, *((key, value) for key, value in short.items() if value is not None)))
    request = Request(
        "model",
        name,
        template,
        package,
        chosen,
        attributes,
        layers=tuple(map(read_use, layers)),
        compiled=Compiled(loss, optimizer, metrics),
    )
    return request, Wish(**wish)
