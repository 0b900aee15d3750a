"""The arguments of a class: the template's attributes, with new defaults, and the user's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from scaffold.errors import Place, UsageError
from scaffold.generation.attributes import REQUIRED
from scaffold.generation.attributes.grammar import Assignment, Declaration
from scaffold.generation.meant import meant
from scaffold.generation.naming import check_attribute_name
from scaffold.generation.spec import Argument, Spec
from scaffold.generation.template import Options, Template, TemplateAttribute
from scaffold.text import nearest


def arguments_of(spec: Spec, template: Template) -> tuple[Argument, ...]:
    """Return the constructor's arguments in order.

    A template argument that needs a default, because one before it was given one, gets the
    manifest's `fallback`. With a base, the order does not matter: added or changed arguments are
    passed by name.

    Raises:
        UsageError: If a required attribute of the user's would follow one with a default.
    """
    arguments: list[Argument] = []
    by_name = template.base_layer is not None
    defaulted = ""
    for rule in template.attributes_for(spec.options):
        attribute = rule.resolve(spec.options)
        plain = attribute.default
        if rule.name in spec.assigned:
            default = spec.assigned[rule.name]
            attribute = replace(attribute, default=default, takes_none=plain is None)
        elif attribute.required and defaulted and not by_name:
            attribute = rule.resolve_with_fallback(spec.options)
        defaulted = defaulted or ("" if attribute.required else rule.name)
        arguments.append(Argument(attribute, plain, rule))
    for attribute in spec.own:
        if attribute.required and defaulted and not by_name:
            raise UsageError(
                f"`{attribute.name}` is required, but follows `{defaulted}`, which has a default",
                fix=f"Give it a default: `{attribute.name}:{attribute.type.declaration()}="
                f"{'None' if attribute.type.keyword == 'layer' else '...'}`.",
            )
        defaulted = defaulted or ("" if attribute.required else attribute.name)
        arguments.append(Argument(attribute, attribute.default, None))
    _check_rules(arguments, template, spec.options)
    return tuple(arguments)


def _check_rules(arguments: Sequence[Argument], template: Template, options: Options) -> None:
    """Refuse defaults that the class itself would refuse."""
    attributes = (argument.attribute for argument in arguments)
    given = {one.name: one.default for one in attributes if one.default is not REQUIRED}
    for rule in template.rules_for(options):
        rule.check(given)


def with_attribute(spec: Spec, template: Template, attribute: Assignment | Declaration) -> Spec:
    """Return the spec with a new default of an attribute, or with an attribute of the user's own.

    Raises:
        UsageError: If the template can't have it.
    """
    rules = {rule.name: rule for rule in template.attributes_for(spec.options)}
    place = attribute.name_place()
    if attribute.name in spec.assigned or attribute.name in {a.name for a in spec.own}:
        raise UsageError(
            f"`{attribute.name}` is given twice", fix="Remove one of them.", place=place
        )
    if isinstance(attribute, Assignment):
        return _assign(spec, template, rules, attribute, place)
    if attribute.name in rules:
        raise UsageError(
            f"the template `{template.name}` already has `{attribute.name}`",
            fix=f"Set its default with `{attribute.name}=...`.",
            place=place,
        )
    check_attribute_name(attribute.name, template.reserves, place)
    if attribute.attribute.type.keyword == "layer" and not template.takes_layers:
        raise UsageError(
            f"the template `{template.name}` can't contain another layer",
            fix="Put that layer before this one in a model, or use `--template blank`.",
            place=place,
        )
    if attribute.name == spec.name or attribute.name == spec.module:
        raise UsageError(
            f"`{attribute.name}` is the name of the class or its module",
            fix=f"Call it `{attribute.name}_value`, for example.",
            place=place,
        )
    own = (*spec.own, attribute.attribute)
    kept = [a.name for a in own] + list(rules)
    for seed in (a.name for a in own if a.type.keyword == "seed"):
        if f"{seed}_generator" in kept:
            raise UsageError(
                f"`{seed}_generator` is already the name of the generator of the seed `{seed}`",
                fix=f"Call it `{seed}_generator_value`, for example.",
                place=place,
            )
    return replace(spec, own=own)


def _assign(
    spec: Spec,
    template: Template,
    rules: Mapping[str, TemplateAttribute],
    given: Assignment,
    place: Place | None,
) -> Spec:
    if given.name not in rules:
        raise UsageError(
            f"the template `{spec.template}` has no attribute `{given.name}`"
            f"{nearest(given.name, rules)}",
            fix=meant(given, template, rules),
            place=place,
        )
    attribute = rules[given.name].resolve(spec.options)
    try:
        value = attribute.read(given.value)
    except ValueError as error:
        raise UsageError(f"`{given.name}`: {error}", place=given.place()) from None
    if value is None and not attribute.optional:
        raise UsageError(f"`{given.name}` can't be None", place=given.place())
    return replace(spec, assigned={**spec.assigned, given.name: value})
