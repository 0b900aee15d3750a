"""`--interactive`: asking for what was not given, on a terminal and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from scaffold.attributes.grammar import Assignment, Declaration, read_attribute
from scaffold.catalog import Catalog, Template
from scaffold.errors import ScaffoldError, UsageError
from scaffold.naming import check_attribute_name, check_class_name
from scaffold.spec import Request, make_spec


def ask(catalog: Catalog, request: Request) -> Request:
    """`request`, completed by what a person answers; each answer is checked at once.

    Raises:
        UsageError: If there is no terminal to ask on.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "--interactive needs a terminal", mend="Give the name and attributes as arguments."
        )
    name = request.name or _prompt("Class name (NAME)", _checked(check_class_name))
    template = request.template or _ask_template(catalog, request.target, name)
    chosen = catalog.get(request.target, template)
    options = {**_ask_options(chosen, request), **request.options}
    asked = Request(request.target, name, template, request.package, options, request.attributes)
    spec, _ = make_spec(catalog, asked, "package")
    attributes = [*request.attributes]
    for rule in chosen.attributes_for(spec.options):
        attribute = rule.resolve(spec.options)
        if attribute.required and rule.name not in {given.name for given in attributes}:
            attributes += _ask_default(attribute.name, attribute.doc, attribute.read)
    attributes += _ask_own(chosen, {given.name for given in attributes})
    return Request(request.target, name, template, request.package, options, tuple(attributes))


def _ask_template(catalog: Catalog, target: str, name: str) -> str:
    for template in catalog.templates(target):
        click.echo(f"  {template.name}: {template.summary}", err=True)
    picked, _, reason = catalog.pick(target, name)

    def read(text: str) -> str:
        return catalog.get(target, text).name

    answer: str = _prompt(f"Template (--template; {reason})", read, default=picked.name)
    return answer


def _ask_options(template: Template, request: Request) -> dict[str, str]:
    answers = {}
    for option in template.options:
        if option.name not in request.options:
            label = f"{option.doc} (--option {option.name}=...)"
            value = _prompt(label, option.read, default=str(option.default))
            answers[option.name] = str(value).lower()
    return answers


def _ask_default(name: str, doc: str, read: Callable[[str], Any]) -> list[Assignment]:
    def checked(text: str) -> str:
        if text:
            read(text)
        return text

    label = f"Default of `{name}` ({doc} Empty: it must be given)"
    text = _prompt(label, checked, default="", show_default=False)
    return [Assignment(name, text, f"{name}={text}")] if text else []


def _ask_own(template: Template, seen: set[str]) -> list[Declaration]:
    declared: list[Declaration] = []

    def read(text: str) -> Declaration | None:
        if not text:
            return None
        given = read_attribute(text)
        if isinstance(given, Assignment):
            raise UsageError("an attribute of your own has a type", mend="Write name:type=default.")
        check_attribute_name(given.name, (*template.reserves, *seen))
        return given

    label = "Your own attribute, name:type=default{constraint} (empty: no more)"
    while (given := _prompt(label, read, default="", show_default=False)) is not None:
        declared.append(given)
        seen.add(given.name)
    return declared


def _checked(check: Callable[[str], None]) -> Callable[[str], str]:
    def read(text: str) -> str:
        check(text)
        return text

    return read


def _prompt(label: str, read: Callable[[str], Any], **settings: Any) -> Any:
    """Ask until `read` takes the answer; what it refuses is shown, and asked again."""

    def value(text: str) -> Any:
        try:
            return read(text.strip())
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        except ScaffoldError as error:
            raise click.UsageError(f"{error.message} {error.mend}".strip()) from None

    return click.prompt(label, value_proc=value, err=True, **settings)
