"""What a user may have meant by an attribute that the template does not have."""

from __future__ import annotations

from collections.abc import Iterable

from scaffold.errors import UsageError
from scaffold.generation.attributes import TYPES
from scaffold.generation.attributes.grammar import Assignment
from scaffold.generation.naming import check_attribute_name
from scaffold.generation.template import Template


def meant(given: Assignment, template: Template, rules: Iterable[str]) -> str:
    """Return how to write it instead; `rules` are the attributes that the template has."""
    if given.name in {option.name for option in template.options}:
        return f"It is an option: use `--option {given.text}`."
    known = f"It has {', '.join(rules) or 'no attributes'}."
    name = given.name or "your_name"
    try:
        check_attribute_name(name, template.reserves)
    except UsageError as error:
        return f"{known} {error.message} {error.fix}"
    own = f"{name}:{guessed_type(given.value)}={given.value}"
    return f"{known} To add one, write `{own}`."


def guessed_type(text: str) -> str:
    """Return the most likely type of a value: `int` for `3`."""
    return next(
        (k for k in ("int", "float", "bool", "activation", "ints") if _reads(k, text)), "str"
    )


def _reads(keyword: str, text: str) -> bool:
    try:
        TYPES[keyword].declare(None, None).parse(text)
    except ValueError:
        return False
    return True
