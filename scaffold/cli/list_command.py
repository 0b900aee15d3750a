"""`scaffold list`: every template in a line or two."""

from __future__ import annotations

from typing import Any

import click

from scaffold.catalog import TARGETS, Catalog, Template
from scaffold.cli.answer import print_answer


@click.command("list")
@click.argument("target", required=False, type=click.Choice(TARGETS))
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(target: str | None, as_json: bool) -> None:
    """List the templates, of layers or models or both, with their attributes."""
    catalog = Catalog.builtin()
    templates = [
        t for wanted in ([target] if target else TARGETS) for t in catalog.templates(wanted)
    ]
    if as_json:
        print_answer("list", result={"templates": [_data(template) for template in templates]})
        return
    for template in templates:
        heading = click.style(f"{template.target} {template.name}", bold=True)
        click.echo(f"{heading}: {template.title}. {template.summary}")
        names = list(dict.fromkeys(attribute.name for attribute in template.attributes))
        click.echo(
            click.wrap_text(", ".join(names) or "no attributes of its own", 88, "    ", "    ")
        )
    if not templates:
        click.echo(f"There are no {target} templates yet.")
        return
    click.echo("\nMore: scaffold show TEMPLATE")


def _data(template: Template) -> dict[str, Any]:
    return {
        "target": template.target,
        "name": template.name,
        "title": template.title,
        "summary": template.summary,
        "attributes": list(dict.fromkeys(attribute.name for attribute in template.attributes)),
    }
