"""Rules between attributes: what they accept, and what a manifest may declare."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scaffold.errors import UsageError
from scaffold.generation.catalog import Catalog
from scaffold.generation.manifest import load
from scaffold.generation.render import Style, render
from scaffold.generation.request import Request
from scaffold.generation.resolving import resolve
from scaffold.generation.rules import KINDS

# For each kind: values that are compatible, and values that are not, at the boundary.
VALUES: dict[str, tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]] = {
    "at_most": ([(2, 2), (1, 2), (None, 2)], [(3, 2)]),
    "below": ([((0, 1), (1, 2)), (None, (1, 1))], [((0, 2), (1, 2)), ((3, 0), (2, 2))]),
    "divides": ([(2, 4), (4, 4), (1, 7)], [(3, 4), (4, 2)]),
    "exclusive": ([((1, 1), (2, 2)), ((3, 1), (1, 1))], [((1, 2), (2, 1))]),
    "together": ([(1, 0), (None, None)], [(None, 1), (0, None)]),
    "same_length": ([((1, 2), (3, 4)), ((), ())], [((1, 2), (3,)), ((1,), ())]),
    "nonempty": ([((1,),)], [((),)]),
    "nonzero": ([(1,), (-1,)], [(0,)]),
    "tiles": ([(4, (8, 12, 3)), (1, (1, 1, 1))], [(4, (8, 10, 4)), (4, (10, 8, 4))]),
    "halves": ([((1, 1), (8, 4, 3)), ((), (1, 1, 1))], [((1, 1), (6, 4, 4)), ((1,), (4, 1, 1))]),
}
NAMES = ("first", "second")
MANIFEST = """\
title = "Probe"
summary = "Has a rule."
formula = ""
source = ""

[[attribute]]
name = "first"
type = "{0}"
default = {1}
doc = "One."

[[attribute]]
name = "second"
type = "{0}"
default = {1}
doc = "The other."

[[rule]]
{2}
"""


def names_of(kind: str) -> tuple[str, ...]:
    return NAMES[: KINDS[kind].about or 2]


@pytest.mark.parametrize("kind", KINDS)
def test_compatible_values(kind: str) -> None:
    rule = KINDS[kind](names_of(kind))
    good, bad = VALUES[kind]
    assert [values for values in good if rule.is_broken(*values)] == []
    assert [values for values in bad if not rule.is_broken(*values)] == []


def test_the_last_items_may_halve_nothing() -> None:
    rule = KINDS["halves"](NAMES, but=1)  # type: ignore[call-arg]
    assert not rule.is_broken((1, 1), (2, 4, 1))
    assert rule.is_broken((1, 1), (3, 4, 1))


def test_a_name_without_a_value_has_none_to_check() -> None:
    KINDS["at_most"](NAMES).check({"first": 3})
    with pytest.raises(UsageError) as caught:
        KINDS["at_most"](NAMES).check({"first": 3, "second": 2})
    assert caught.value.message == "`first=3` is greater than `second=2`."


@pytest.mark.parametrize("kind", KINDS)
def test_the_fix_works(kind: str) -> None:
    """Check that the suggested values are compatible, with a value for each attribute."""
    rule = KINDS[kind](names_of(kind))
    for values in VALUES[kind][1]:
        fix = rule.fix(*values)
        assert any(f"`{name}" in fix for name in rule.names) or kind == "nonempty"
        for name, text in written(fix):
            changed = dict(zip(rule.names, values, strict=True)) | {name: read(text, values)}
            assert not rule.is_broken(*(changed[name] for name in rule.names)), fix


def written(fix: str) -> list[tuple[str, str]]:
    """Return the assignments in a fix."""
    return [(n, t) for part in fix.split("`") for n, equals, t in [part.partition("=")] if equals]


def read(text: str, values: tuple[Any, ...]) -> Any:
    several = any(isinstance(value, tuple) for value in values)
    numbers = tuple(map(int, text.strip("()").split(",")))
    return (
        numbers if several and (len(numbers) > 1 or not isinstance(values[0], int)) else int(text)
    )


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            'at_most = ["first", "third"]',
            "the rule `at_most` names `third`, which is not an attribute",
        ),
        ('at_most = ["first"]', "the rule `at_most` needs 2 attributes"),
        ('same_length = ["first"]', "the rule `same_length` needs two or more attributes"),
        ("by_hand = true", f"a rule must have exactly one of the keys {', '.join(KINDS)}"),
        (
            'at_most = ["first", "second"]\ndivides = ["first", "second"]',
            f"a rule must have exactly one of the keys {', '.join(KINDS)}",
        ),
        ('at_mots = ["first"]', "a rule has the unknown key `at_mots`. Did you mean `at_most`?"),
    ],
)
def test_a_manifest_that_declares_no_rule(tmp_path: Path, rule: str, message: str) -> None:
    (tmp_path / "template.toml").write_text(MANIFEST.format("int", 1, rule))
    with pytest.raises(UsageError) as caught:
        load(tmp_path)
    assert message in caught.value.message


LAYER = """\
{% extends "layer/_layer.py.jinja" %}
{% block title %}a probe{% endblock %}
{% block summary %}Probe.{% endblock %}
{% block input_shape %}Any.{% endblock %}
{% block output_shape %}Any.{% endblock %}
{% block example %}>>> 1{% endblock %}
{% block call %}
        return inputs
{% endblock %}
{% block compute_output_shape %}{% endblock %}
"""


@pytest.mark.parametrize("kind", KINDS)
def test_the_class_checks_it_too(kind: str, tmp_path: Path) -> None:
    names = names_of(kind)
    folder = tmp_path / "layer" / "probe"
    folder.mkdir(parents=True)
    table = f"{kind} = {list(names)}"
    (folder / "template.toml").write_text(MANIFEST.format("float", '"None"', table))
    (folder / "layer.py.jinja").write_text(LAYER)
    catalog = Catalog([tmp_path, *Catalog.builtin().folders])
    resolved = resolve(catalog, Request("layer", "Thing", "probe"), "pkg")
    check = checker(render(catalog, resolved, Style(), "thing", ["layer"])["layer"])
    good, bad = VALUES[kind]
    for values in good:
        check(**dict(zip(names, values, strict=True)))
    for values in bad:
        given = dict(zip(names, values, strict=True))
        with pytest.raises(ValueError, match="Received: ") as caught:
            check(**given)
        received = str(caught.value).partition("Received: ")[2]
        assert received == ", ".join(f"{name}={value!r}" for name, value in given.items())


def checker(source: str) -> Callable[..., None]:
    """Return what the constructor of a class checks besides types, as a function."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    init = next(node for node in nodes if node.name == "__init__")
    checks = [one for one in init.body if isinstance(one, ast.If)]
    init.body = [one for one in checks if "isinstance" not in ast.unparse(one)]
    assert len(init.body) == 1
    init.args.args, init.args.kwarg = init.args.args[1:], None
    names: dict[str, Any] = {}
    exec(ast.unparse(ast.fix_missing_locations(init)), names)
    check: Callable[..., None] = names["__init__"]
    return check
