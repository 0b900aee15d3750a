"""`--interactive`: prompts for what was not given, on a terminal only."""

from __future__ import annotations

from dataclasses import replace

import click

from scaffold.cli.asking import can_ask, prompt
from scaffold.errors import UsageError
from scaffold.generation.attributes import Attribute
from scaffold.generation.attributes.grammar import Assignment, Declaration, read_attribute
from scaffold.generation.catalog import Catalog
from scaffold.generation.naming import check_class_name
from scaffold.generation.near import Near, UndecidedError
from scaffold.generation.request import Request
from scaffold.generation.resolving import resolve
from scaffold.generation.template import Meaning

# The answers are checked before the package of the class is known.
_ANY_PACKAGE = "package"
_WIDTH = 88


def ask(catalog: Catalog, request: Request) -> Request:
    """Return `request`, completed by the user's answers; each is checked at once.

    Raises:
        UsageError: If there is no terminal.
    """
    if not can_ask():
        raise UsageError(
            "--interactive needs a terminal", fix="Pass the name and attributes as arguments."
        )
    name = request.name or prompt("Class name (NAME)", _read_name)
    check_class_name(name)
    request = replace(request, name=name)
    if request.base and request.template is None:
        request = replace(request, template=catalog.deriving(request.target).name)
    if request.layers and request.template is None:
        request = replace(request, template=catalog.composing(request.target).name)
    if request.template is None:
        near = _ask_template(catalog, request.target, name)
        request = _with_template(request, near)
    else:
        near = Near(*catalog.find(request.target, request.template))
    request = replace(request, options=_ask_options(near, request))
    resolved = resolve(catalog, request, _ANY_PACKAGE)
    for rule in resolved.template.attributes_for(resolved.spec.options):
        attribute = rule.resolve(resolved.spec.options)
        if attribute.required and rule.name not in {given.name for given in request.attributes}:
            request = _ask_default(catalog, request, attribute)
    return _ask_own(catalog, request)


def _read_name(text: str) -> str:
    check_class_name(text)
    return text


def settle(catalog: Catalog, request: Request, error: UndecidedError) -> Request:
    """Return `request` with the template that the user picks among those its name may mean."""
    click.echo(error.message, err=True)
    if error.instead:
        click.echo(f"{error.instead}. Or choose a template:", err=True)
    rows = [one.typed() for one in error.near]
    width = max(map(len, rows), default=0)
    for number, (row, one) in enumerate(zip(rows, error.near, strict=True), start=1):
        click.echo(f"  {number}  {row.ljust(width)}  {one.template.title}", err=True)

    def read(text: str) -> Near:
        if text.isdigit() and 0 < int(text) <= len(error.near):
            return error.near[int(text) - 1]
        return Near(*catalog.find(request.target, text))

    answer: Near = prompt("Number or name (--template)", read, default="1")
    options = {key: str(value).lower() for key, value in answer.meaning.options.items()}
    request = replace(request, options={**options, **request.options})
    return _with_template(request, answer)


def _with_template(request: Request, near: Near) -> Request:
    """Return `request` with a template, and with the defaults that come with it."""
    given = {attribute.name for attribute in request.attributes}
    defaults = near.template.typed_defaults(near.meaning).items()
    further = [Assignment(k, text, f"{k}={text}") for k, text in defaults if k not in given]
    attributes = (*request.attributes, *further)
    return replace(request, template=near.template.name, attributes=attributes)


def _ask_template(catalog: Catalog, target: str, name: str) -> Near:
    """Return the template that the user picks, by default the one that the name means."""
    names = ", ".join(catalog.names(target))
    click.echo(click.wrap_text(names, _WIDTH, "  ", "  "), err=True)
    try:
        template, meaning, reason = catalog.pick(target, name)
        default = Near(template, meaning)
    except UndecidedError as error:
        default, reason = error.near[0], error.message.rstrip(".")

    def read(text: str) -> Near:
        return Near(*catalog.find(target, text))

    label = f"Template (--template; {reason})"
    answer: Near = prompt(label, read, default=default.template.name)
    same = answer.template == default.template and answer.meaning == Meaning()
    return default if same else answer


def _ask_options(near: Near, request: Request) -> dict[str, str]:
    answers, implied = dict(request.options), near.meaning.options
    for option in near.template.options:
        if option.name not in answers:
            label = f"{option.doc} (--option {option.name}=...)"
            default = str(implied.get(option.name, option.default)).lower()
            answers[option.name] = str(prompt(label, option.read, default=default)).lower()
    return answers


def _ask_default(catalog: Catalog, request: Request, attribute: Attribute) -> Request:
    """Return `request` with a default for a template attribute that has none."""

    def read(text: str) -> Request:
        given = Assignment(attribute.name, text, f"{attribute.name}={text}")
        return _with(catalog, request, given) if text else request

    label = f"Default of `{attribute.name}` ({attribute.doc} Leave empty to require it)"
    answer: Request = prompt(label, read, default="", show_default=False)
    return answer


def _ask_own(catalog: Catalog, request: Request) -> Request:
    """Return `request` with the new attributes that the user adds."""

    def read(text: str) -> Request | None:
        if not text:
            return None
        given = read_attribute(text)
        if isinstance(given, Assignment):
            raise UsageError("a new attribute needs a type", fix="Write name:type=default.")
        return _with(catalog, request, given)

    label = "New attribute, name:type=default{constraint} (leave empty to finish)"
    while (longer := prompt(label, read, default="", show_default=False)) is not None:
        request = longer
    return request


def _with(catalog: Catalog, request: Request, given: Assignment | Declaration) -> Request:
    longer = replace(request, attributes=(*request.attributes, given))
    resolve(catalog, longer, _ANY_PACKAGE)
    return longer
