"""The value that a generated test changes an attribute to differs from its default."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, FileSystemLoader

import scaffold
from scaffold.generation.attributes import Attribute
from scaffold.generation.attributes.grammar import declare_type

TEMPLATES = Path(scaffold.__file__).parent.parent / "templates"
MACROS = Environment(loader=FileSystemLoader(TEMPLATES), trim_blocks=True, lstrip_blocks=True)
MACROS.filters["literal"] = repr
MACROS.filters["refusal"] = str
OBJECTS = ("activation", "initializer", "regularizer", "constraint")


def described(value: object) -> object:
    """Return a value as generated tests compare it."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


def check(attribute: Attribute, index: int) -> None:
    macros = MACROS.get_template(f"_macros/types/{attribute.type.keyword}.jinja").module
    changed = eval(str(macros.changed(attribute, index)), {"keras": keras})  # type: ignore[attr-defined]
    default = eval(str(macros.default(attribute)), {"keras": keras})  # type: ignore[attr-defined]
    assert described(changed) != described(default)


@pytest.mark.parametrize("keyword", OBJECTS)
def test_objects_of_keras(keyword: str) -> None:
    kind = declare_type(keyword)
    for default in (None, *sorted(kind._known())):  # type: ignore[attr-defined]
        for index in range(1, 12):
            check(Attribute("it", kind, default), index)


WHOLE = st.integers(-(10**18) + 1, 10**18 - 1)
KINDS = {
    "int": WHOLE,
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "str": st.text(st.characters(exclude_categories=["C", "Zl", "Zp"])),
    "ints": st.lists(WHOLE, max_size=5),
    "ints(1)": st.lists(WHOLE, min_size=1, max_size=1),
    "ints(3)": st.lists(WHOLE, min_size=3, max_size=3),
    "enum(sum,mean)": st.sampled_from(["sum", "mean"]),
    "seed": st.integers(0, 999_999_999),
    "layer": st.none(),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(data=st.data(), index=st.integers(1, 20))
def test_any_default_of_any_other_type(kind: str, data: st.DataObject, index: int) -> None:
    type_ = declare_type(kind)
    value = data.draw(st.none() | KINDS[kind])
    check(Attribute("it", type_, None if value is None else type_.accept(value)), index)


@pytest.mark.parametrize("bounds", [">0", ">=0,<=1", ">-2,<0.5", ">=1e30", "<=-7", ">=3,<=4"])
@pytest.mark.parametrize("kind", ["int", "float", "ints", "ints(2)"])
@settings(max_examples=20)
@given(data=st.data(), index=st.integers(1, 20))
def test_any_default_within_bounds(kind: str, bounds: str, data: st.DataObject, index: int) -> None:
    try:
        type_ = declare_type(kind, bounds)
    except ValueError as error:
        assert "leaves fewer than two values" in str(error)  # noqa: PT017 - most are declared
        return
    numbers = [0, 1, -1, 0.25, 3, 4, -8, 2e30, 10**18 - 1, data.draw(st.integers(-10, 10))]
    number = data.draw(st.sampled_from(numbers))
    try:
        default = type_.accept([number, number] if kind.startswith("ints") else number)
    except ValueError:
        return
    check(Attribute("it", type_, default), index)
