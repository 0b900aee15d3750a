"""`scaffold show`: one template in detail."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import click

from scaffold.cli.answer import print_answer
from scaffold.cli.command import Command
from scaffold.cli.params import complete_templates
from scaffold.errors import UsageError
from scaffold.generation.attributes import REQUIRED, Attribute, Value
from scaffold.generation.catalog import TARGETS, Catalog
from scaffold.generation.near import UndecidedError
from scaffold.generation.template import Meaning, Template, fill
from scaffold.text import nearest, shown


@click.command("show", cls=Command)
@click.argument("template", shell_complete=complete_templates)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(template: str, as_json: bool) -> None:
    """Show one template: formula, attributes, options, source, an example of its output."""
    catalog = Catalog.builtin()
    data = _data(catalog, *_find(catalog, template))
    if as_json:
        print_answer("show", result=data)
        return
    click.echo(f"{click.style(data['name'], bold=True)} ({data['target']}): {data['title']}")
    click.echo(data["summary"])
    for key in ("formula", "source"):
        if data[key]:
            click.echo(f"{key}: {data[key]}")
    if data["words"]:
        click.echo(f"aliases: {', '.join(data['words'])}")
    _table("attributes", [(a["usage"], a["doc"]) for a in data["attributes"]])
    _table("options", [(_usage(option), option["doc"]) for option in data["options"]])
    click.echo(f"\nexample: {data['example']['command']}\n")
    click.echo(data["example"]["source"], nl=False)


def _find(catalog: Catalog, name: str) -> tuple[Template, Meaning]:
    """Find a template by its name, else by an alias, else by the name of a class."""
    for target in TARGETS:
        if name in catalog.names(target):
            return catalog.find(target, name)
    for target in TARGETS:
        with suppress(UsageError):
            return catalog.find(target, name)
    near: list[str] = []
    for target in TARGETS:
        try:
            template, meaning, _ = catalog.pick(target, name)
        except UndecidedError as error:
            near += [f"scaffold show {one.template.name}" for one in error.near]
        else:
            if not template.fallback or meaning != Meaning():
                return template, meaning
    known = [word for target in TARGETS for word in catalog.words(target)]
    guess = nearest(name, known)
    commands = [] if guess else list(dict.fromkeys(near))
    see = ", ".join(f"`{one}`" for one in commands or ["scaffold list"])
    message = f"template `{shown(name)}` not found{guess}"
    raise UsageError(message, fix=f"See {see}.", suggestions=commands)


def _data(catalog: Catalog, template: Template, meaning: Meaning) -> dict[str, Any]:
    options = template.options_with(meaning.options)
    defaults = template.defaults_for(meaning, options)
    return {
        "target": template.target,
        "name": template.name,
        "title": template.title,
        "summary": template.summary,
        "formula": template.formula,
        "source": fill(template.source, options),
        "words": list(template.words),
        "attributes": [
            _attribute(rule.name, _with_default(rule.resolve(options), defaults))
            for rule in template.attributes_for(options)
        ],
        "options": [
            {
                "name": option.name,
                "values": list(option.values),
                "default": option.default,
                "doc": option.doc,
            }
            for option in template.options
        ],
        "example": _example(catalog, template, meaning),
    }


def _with_default(attribute: Attribute, defaults: Mapping[str, Value]) -> Attribute:
    return replace(attribute, default=defaults.get(attribute.name, attribute.default))


def _attribute(name: str, attribute: Attribute) -> dict[str, Any]:
    type_, default = attribute.type, attribute.default
    given = "" if default is REQUIRED else f"={type_.text(default)}"
    bounds = f"{{{type_.bounds}}}" if type_.bounds else ""
    return {
        "name": name,
        "type": type_.declaration(),
        "constraint": type_.bounds or None,
        "required": attribute.required,
        "default": None if default is REQUIRED else default,
        "usage": f"{name}:{type_.declaration()}{given}{bounds}",
        "doc": attribute.doc,
    }


def _example(catalog: Catalog, template: Template, meaning: Meaning) -> dict[str, str]:
    from scaffold.generation.attributes.grammar import read_attribute
    from scaffold.generation.render import Style, render
    from scaffold.generation.request import Request
    from scaffold.generation.resolving import resolve

    name = f"My{''.join(word.capitalize() for word in template.name.split('_'))}"
    options = {key: str(value) for key, value in meaning.options.items()}
    typed = [f"{key}={text}" for key, text in template.typed_defaults(meaning).items()]
    attributes = tuple(map(read_attribute, typed))
    request = Request(template.target, name, template.name, options=options, attributes=attributes)
    resolved = resolve(catalog, request, "my_project")
    files = render(catalog, resolved, Style(), resolved.spec.module, [template.target])
    words = ["scaffold", template.target, name, "--template", template.name]
    return {
        "command": " ".join([*words, *template.typed(meaning)]),
        "source": files[template.target],
    }


def _usage(option: dict[str, Any]) -> str:
    return f"--option {option['name']}={'|'.join(str(value) for value in option['values'])}"


def _table(title: str, rows: list[tuple[str, str]]) -> None:
    if not rows:
        return
    click.echo(f"\n{title}:")
    width = max(len(left) for left, _ in rows)
    for left, right in rows:
        click.echo(f"  {click.style(left.ljust(width), fg='cyan')}  {right}".rstrip())
