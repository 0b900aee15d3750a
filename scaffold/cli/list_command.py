"""`scaffold list`: all templates, or those that match some words, in a few lines each."""

from __future__ import annotations

from typing import Any

import click

from scaffold.cli.answer import print_answer
from scaffold.cli.command import Command
from scaffold.cli.params import complete_words
from scaffold.generation.catalog import TARGETS, Catalog
from scaffold.generation.template import Template
from scaffold.text import nearest, shown

_WIDTH = 88
_TARGETS = {name: target for target in TARGETS for name in (target, f"{target}s")}


@click.command("list", cls=Command)
@click.argument("words", nargs=-1, metavar="[layer|model] [WORD]...", shell_complete=complete_words)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(words: tuple[str, ...], as_json: bool) -> None:
    """List the templates of layers, models or both, with their aliases and attributes.

    With WORDs, only those that match any of them, best first: `scaffold list linear attention`.
    """
    catalog = Catalog.builtin()
    chosen = _TARGETS.get(words[0].lower()) if words else None
    targets, wanted = ((chosen,), words[1:]) if chosen else (TARGETS, words)
    templates = [template for target in targets for template in catalog.templates(target)]
    if wanted:
        ranks = [(_rank(template, wanted), template) for template in templates]
        ranks.sort(key=lambda one: one[0], reverse=True)
        templates = [template for rank, template in ranks if any(rank)]
    if as_json:
        print_answer("list", result={"templates": [_data(template) for template in templates]})
        return
    for template in templates:
        _show(template)
    if templates:
        click.echo("\nMore: scaffold show TEMPLATE")
    else:
        _show_nearest(catalog, targets, wanted)


def _rank(template: Template, words: tuple[str, ...]) -> tuple[int, int, int]:
    """Count the words that equal a name of it, occur in a name, and occur in its description."""
    return (
        sum(map(template.is_called, words)),
        sum(map(template.is_named_with, words)),
        sum(map(template.is_about, words)),
    )


def _show_nearest(catalog: Catalog, targets: tuple[str, ...], words: tuple[str, ...]) -> None:
    """Show what comes nearest to words that match no template."""
    known = [*_TARGETS, *(word for target in TARGETS for word in catalog.words(target))]
    guess = nearest(words[0], known) if len(words) == 1 else ""
    click.echo(f"No template matches {' or '.join(map(shown, words))}{guess or '.'}")
    near = [one for word in words for target in targets for one in catalog.near(target, word)]
    if near:
        found = dict.fromkeys(f"{one.template.target} {one.template.name}" for one in near)
        click.echo(f"Nearest: {', '.join(found)}")
    click.echo("To start from scratch: scaffold layer MyLayer --template blank")


def _show(template: Template) -> None:
    heading = click.style(f"{template.target} {template.name}", bold=True)
    click.echo(f"{heading}: {template.title}. {template.summary}")
    aliases = [word for word in template.words if word != template.name]
    if aliases:
        click.echo(_indented(f"also: {', '.join(aliases)}"))
    click.echo(_indented(", ".join(_names(template)) or "no attributes"))


def _indented(text: str) -> str:
    return click.wrap_text(text, _WIDTH, "    ", "    ")


def _data(template: Template) -> dict[str, Any]:
    return {
        "target": template.target,
        "name": template.name,
        "title": template.title,
        "summary": template.summary,
        "words": list(template.words),
        "attributes": _names(template),
    }


def _names(template: Template) -> list[str]:
    return list(dict.fromkeys(attribute.name for attribute in template.attributes))
