"""`scaffold list`: every template, or those about something, in a few lines each."""

from __future__ import annotations

from typing import Any

import click

from scaffold.catalog import TARGETS, Catalog
from scaffold.cli.answer import print_answer
from scaffold.cli.params import complete_words
from scaffold.template import Template
from scaffold.text import nearest, shown

_WIDTH = 88


@click.command("list")
@click.argument("words", nargs=-1, metavar="[layer|model] [WORD]...", shell_complete=complete_words)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(words: tuple[str, ...], as_json: bool) -> None:
    """List the templates, of layers or models or both, with their words and attributes.

    With WORDs, only those about all of them: `scaffold list attention`. Those that are called so
    come first.
    """
    catalog = Catalog.builtin()
    targets = words[:1] if words[:1] and words[0] in TARGETS else TARGETS
    wanted = words[1:] if targets is not TARGETS else words
    templates = [
        template
        for target in targets
        for template in catalog.templates(target)
        if all(map(template.is_about, wanted))
    ]
    templates.sort(key=lambda template: not all(map(template.is_called, wanted)))
    if as_json:
        print_answer("list", result={"templates": [_data(template) for template in templates]})
        return
    for template in templates:
        _show(template)
    if templates:
        click.echo("\nMore: scaffold show TEMPLATE")
    else:
        known = [*TARGETS, *(word for target in TARGETS for word in catalog.words(target))]
        guess = nearest(wanted[0], known) if len(wanted) == 1 else ""
        click.echo(f"No template is about {' and '.join(map(shown, wanted))}{guess or '.'}")
        click.echo("Begin with your own attributes alone: scaffold layer MyLayer --template blank")


def _show(template: Template) -> None:
    heading = click.style(f"{template.target} {template.name}", bold=True)
    click.echo(f"{heading}: {template.title}. {template.summary}")
    aliases = [word for word in template.words if word != template.name]
    if aliases:
        click.echo(_indented(f"also: {', '.join(aliases)}"))
    click.echo(_indented(", ".join(_names(template)) or "no attributes of its own"))


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
