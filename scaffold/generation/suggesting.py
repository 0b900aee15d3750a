"""How a class can be created and called, judging by the template that it seems to come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scaffold.cases import ClassFacts, Suggestion
from scaffold.errors import UsageError
from scaffold.generation.attributes import REQUIRED, Attribute
from scaffold.generation.catalog import Catalog
from scaffold.generation.deriving import on_base
from scaffold.generation.template import Meaning, Options, Template
from scaffold.keras_source import read_base


def suggest(facts: ClassFacts) -> Iterator[Suggestion]:
    """Yield the cases of the templates whose attributes the class has, the most likely first."""
    catalog = Catalog.builtin()
    if template := _of_base(catalog, facts.base):
        yield Suggestion(
            f"its cases are those of the template `{template.name}` for `{template.source}`",
            [_open(facts, data) for data in template.cases_for({})],
        )
    for template, options in _matching(catalog, facts):
        yield Suggestion(
            f"its cases are those of the template `{template.name}`",
            template.cases_for(options),
            _required(template, options),
        )


def _open(facts: ClassFacts, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a case of the base without the arguments that the class passes to its base itself."""
    arguments = data.get("args", {})
    return {**data, "args": {n: v for n, v in arguments.items() if n in facts.parameters}}


def _of_base(catalog: Catalog, base: str) -> Template | None:
    """Return the template of a class that derives from a callable Keras layer."""
    if not base:
        return None
    try:
        template = on_base(catalog.deriving("layer"), read_base(base))
    except UsageError:  # a layer that can't be extended, such as `Wrapper`
        return None
    return template if template.sample else None


def _matching(catalog: Catalog, facts: ClassFacts) -> Sequence[tuple[Template, Options]]:
    """Return the template variants whose attributes the class has, those with the most of them.

    The one that the class name calls for comes first.
    """
    called, meaning = _named_for(catalog, facts)
    variants = [
        (template, options, len(attributes))
        for template in catalog.templates(facts.target)
        for options in template.variants()
        if (attributes := {a.name for a in _attributes(template, options)}) <= facts.parameters
    ]
    by_name = [
        (template, options)
        for template, options, _ in variants
        if template == called and meaning.options.items() <= options.items()
    ]
    most = max((number for *_, number in variants), default=0)
    matching = [(template, options) for template, options, number in variants if number == most > 0]
    first = [one for one in by_name if one in matching or not most]
    return [*first, *(one for one in matching if one not in by_name)]


def _named_for(catalog: Catalog, facts: ClassFacts) -> tuple[Template | None, Meaning]:
    """Return the template that the name calls for, if there is one."""
    try:
        template, meaning, _ = catalog.pick(facts.target, facts.name)
    except UsageError:
        return None, Meaning()
    return template, meaning


def _required(template: Template, options: Options) -> dict[str, Any]:
    """Return the values that the template tests required arguments with, except for layers."""
    return {
        a.name: a.type.changed(REQUIRED)
        for a in _attributes(template, options)
        if a.required and a.type.keyword != "layer"
    }


def _attributes(template: Template, options: Options) -> list[Attribute]:
    return [rule.resolve(options) for rule in template.attributes_for(options)]
