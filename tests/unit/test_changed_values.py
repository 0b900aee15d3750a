"""The changed value of an argument in generated tests is never its default."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Mapping
from typing import Any

import pytest

from drawn_requests import CATALOG, templates
from scaffold.generation.attributes import Attribute
from scaffold.generation.attributes.grammar import Assignment
from scaffold.generation.render import Style, render
from scaffold.generation.request import Request
from scaffold.generation.resolving import resolve
from scaffold.generation.template import Options, Template

VARIANTS = [
    pytest.param(template, options, id=f"{template.target}-{template.name}-{number}")
    for template in templates()
    for number, options in enumerate(template.variants())
    if number % 3 == 0
]


def values_of(template: Template, options: Options, defaults: Mapping[str, Any]) -> Any:
    """Return `CHANGED` and `DEFAULTS` of a generated test, except Keras objects."""
    spelled = {name: str(value).lower() for name, value in options.items()}
    given = tuple(Assignment(n, t, f"{n}={t}") for n, v in defaults.items() for t in [typed(v)])
    request = Request(template.target, "Thing", template.name, "pkg", spelled, given)
    resolved = resolve(CATALOG, request, "pkg")
    test = ast.parse(render(CATALOG, resolved, Style(), "thing", ["test"])["test"])
    known: dict[str, Any] = {}
    for node in test.body:
        if isinstance(node, ast.Assign):
            known |= evaluated(node, known)
    return known.get("CHANGED", {}), known.get("DEFAULTS", {})


def evaluated(node: ast.Assign, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names that a line binds; of a dict, only entries that don't need Keras."""
    (target,) = node.targets
    if isinstance(target, ast.Name) and isinstance(node.value, ast.Dict):
        pairs = zip(node.value.keys, node.value.values, strict=True)
        entries = {ast.literal_eval(key): value_of(value, known) for key, value in pairs if key}
        return {target.id: {name: found[0] for name, found in entries.items() if found}}
    found = value_of(node.value, known)
    if isinstance(target, ast.Tuple) and found:
        names = [name.id for name in target.elts if isinstance(name, ast.Name)]
        return dict(zip(names, found[0], strict=True))
    return {target.id: found[0]} if isinstance(target, ast.Name) and found else {}


def value_of(node: ast.expr, known: Mapping[str, Any]) -> list[Any]:
    """Return the value of an expression, or nothing if it needs more than earlier constants."""
    with contextlib.suppress(NameError):
        code = compile(ast.Expression(node), "constant", "eval")
        return [eval(code, {"__builtins__": {}}, dict(known))]
    return []


def typed(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ",".join(map(str, value)) or "()"
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(("template", "options"), VARIANTS)
def test_whatever_the_default_is(
    template: Template, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scaffold.generation.render.format_source", lambda source, **_: source)
    changed, _ = values_of(template, options, {})
    wanted = {
        rule.name: changed[rule.name]
        for rule in template.attributes_for(options)
        if rule.name in changed and is_typed(rule.resolve(options), changed[rule.name])
    }
    for rule in template.rules_for(options):
        if rule.kind == "exclusive":
            wanted.pop(rule.names[1])
    changed, defaults = values_of(template, options, wanted)
    assert {*wanted} <= {*defaults}
    assert not {name for name in wanted if changed[name] == defaults[name]}


def is_typed(attribute: Attribute, value: Any) -> bool:
    """Return whether a value can be a default, not just an argument of the constructor."""
    try:
        attribute.read(typed(value))
    except ValueError:
        return False
    return True
