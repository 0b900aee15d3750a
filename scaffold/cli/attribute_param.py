"""An attribute as a command-line argument, with shell completion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from scaffold.generation.attributes import TYPES, AttributeType
from scaffold.generation.attributes.grammar import (
    Assignment,
    Declaration,
    declare_type,
    read_attribute,
)

if TYPE_CHECKING:
    from scaffold.generation.template import Options, Template


class AttributeParam(click.ParamType[Assignment | Declaration]):
    """The parameter type of `name=value` and `name:type=default{constraint}`."""

    name = "attribute"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Assignment | Declaration:
        return value if isinstance(value, Assignment | Declaration) else read_attribute(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[Any]]:
        name, colon, rest = incomplete.partition(":")
        if colon and name.isidentifier():
            return _declared(f"{name}:", rest)
        name, equals, _ = incomplete.partition("=")
        known = _types(ctx)
        if equals:
            values = known[name].completions() if name in known else ()
            return [
                CompletionItem(f"{name}={value}")
                for value in values
                if f"{name}={value}".startswith(incomplete)
            ]
        return [CompletionItem(f"{word}=") for word in known if word.startswith(incomplete)]


def _declared(start: str, rest: str) -> list[CompletionItem[Any]]:
    """Complete types after the colon, or values of the type after the equals sign."""
    kind, equals, value = rest.partition("=")
    if not equals:
        return [CompletionItem(start + word) for word in TYPES if word.startswith(rest)]
    try:
        values = declare_type(kind).completions()
    except ValueError:
        return []
    return [CompletionItem(f"{start}{kind}={word}") for word in values if word.startswith(value)]


def _types(ctx: click.Context) -> dict[str, AttributeType]:
    """Return the types of the attributes of the template in question, by name."""
    chosen = template_in_question(ctx)
    if chosen is None:
        return {}
    template, options = chosen
    rules = template.attributes_for(options)
    return {rule.name: rule.resolve(options).type for rule in rules}


def template_in_question(ctx: click.Context) -> tuple[Template, Options] | None:
    """Return the template that a half-typed command means so far, with its option values."""
    from scaffold.errors import ScaffoldError
    from scaffold.generation.catalog import Catalog
    from scaffold.generation.deriving import on_base
    from scaffold.keras_source import read_base

    catalog, name = Catalog.builtin(), ctx.params.get("template")
    target = ctx.command.name or "layer"
    try:
        if base := ctx.params.get("base"):
            return on_base(catalog.deriving("layer"), read_base(base)), {}
        if name:
            template, meaning = catalog.find(target, name)
        else:
            template, meaning, _ = catalog.pick(target, ctx.params.get("name") or "")
    except ScaffoldError:
        return None
    return template, template.options_with(meaning.options)
