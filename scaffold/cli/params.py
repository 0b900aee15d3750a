"""Parameter types and completions of the command line."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

from scaffold.cli.attribute_param import template_in_question


class OptionParam(click.ParamType[tuple[str, str]]):
    """The parameter type of `key=value`; the template knows the keys and their values."""

    name = "key=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        key, equals, rest = str(value).partition("=")
        if not equals:
            self.fail(f"`{value}` is not key=value, such as `rank=2`", param, ctx)
        return key.strip(), rest.strip()

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[Any]]:
        from scaffold.generation.catalog import Catalog

        # Click does not know NAME while the option before it still lacks its value.
        chosen = template_in_question(ctx) if ctx.params.get("name") else None
        templates = (
            [chosen[0]] if chosen else Catalog.builtin().templates(ctx.command.name or "layer")
        )
        words = {
            f"{option.name}={str(value).lower()}"
            for template in templates
            for option in template.options
            for value in option.values
        }
        return [CompletionItem(word) for word in sorted(words) if word.startswith(incomplete)]


def complete_templates(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem[Any]]:
    """Complete the names of the command's templates, with their summaries."""
    from scaffold.generation.catalog import TARGETS, Catalog

    catalog, command = Catalog.builtin(), ctx.command.name
    return [
        CompletionItem(template.name, help=template.summary)
        for target in ([command] if command in TARGETS else TARGETS)
        for template in catalog.templates(target)
        if template.name.startswith(incomplete)
    ]


def complete_bases(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem[Any]]:
    """Complete the layers of the installed Keras."""
    from scaffold.keras_source import public_layers

    names = [f"keras.layers.{name}" for name in public_layers()]
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def complete_layers(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem[Any]]:
    """Complete what a model can be composed of: layers of the installed Keras, and templates."""
    from scaffold.generation.catalog import Catalog
    from scaffold.keras_source import public_layers

    names = [*public_layers(), *Catalog.builtin().words("layer")]
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def complete_words(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem[Any]]:
    """Complete the targets, and the names and aliases of templates."""
    from scaffold.generation.catalog import TARGETS, Catalog

    catalog = Catalog.builtin()
    known = [*TARGETS, *sorted({word for target in TARGETS for word in catalog.words(target)})]
    return [CompletionItem(word) for word in known if word.startswith(incomplete)]


def complete_checks(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem[Any]]:
    """Complete the ids of the checks, with their titles."""
    from scaffold.conformance.registry import checks

    return [
        CompletionItem(check.id, help=check.title)
        for check in checks()
        if check.id.startswith(incomplete)
    ]


def complete_tags(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem[Any]]:
    """Complete the tags, each with the check that its layers are meant to fail."""
    from scaffold.conformance.registry import tags

    return [
        CompletionItem(tag, help=check.title)
        for tag, check in tags().items()
        if tag.startswith(incomplete)
    ]


def complete_files(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem[Any]]:
    """Complete files."""
    return [CompletionItem(incomplete, type="file")]
