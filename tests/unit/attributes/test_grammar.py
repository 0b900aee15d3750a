from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.errors import Place, ScaffoldError, UnsafeError, UsageError
from scaffold.generation.attributes import REQUIRED, TYPES, Attribute
from scaffold.generation.attributes.base import Default
from scaffold.generation.attributes.grammar import (
    Assignment,
    Declaration,
    declare_type,
    read_attribute,
)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("filters=64", "filters", "64"),
        (" filters = 64", "filters", " 64"),
        ("filters=", "filters", ""),
        ("=64", "", "64"),
        ("doc=a:b=c{d}", "doc", "a:b=c{d}"),
        ("größe=3", "größe", "3"),
    ],
)
def test_assignment(text: str, name: str, value: str) -> None:
    assert read_attribute(text) == Assignment(name, value, text)


@pytest.mark.parametrize(
    ("text", "name", "kind", "constraint", "default"),
    [
        ("units:int", "units", "int", None, REQUIRED),
        ("units:int=3", "units", "int", None, 3),
        ("units:int=3{>0}", "units", "int", ">0", 3),
        ("units:int{>0}=3", "units", "int", ">0", 3),
        ("units:int{>0}", "units", "int", ">0", REQUIRED),
        ("units:int=None", "units", "int", None, None),
        (" units : int = 3 ", "units", "int", None, 3),
        ("gain:float=1{>0, <=2}", "gain", "float", ">0,<=2", 1.0),
        ("flag:bool=yes", "flag", "bool", None, True),
        ("mode:enum(sum,mean)=sum", "mode", "enum(sum,mean)", None, "sum"),
        ("mode:enum(sum, mean)", "mode", "enum(sum,mean)", None, REQUIRED),
        ("size:ints(2)=3", "size", "ints(2)", None, (3, 3)),
        ("size:ints(2)=3,5{>0}", "size", "ints(2)", ">0", (3, 5)),
        ("size:ints=", "size", "ints", None, ()),
        ("title:str=", "title", "str", None, ""),
        ("title:str={x} = {y", "title", "str", None, "{x} = {y"),
        ("title:str=a:b", "title", "str", None, "a:b"),
        ("inner:layer", "inner", "layer", None, REQUIRED),
        ("inner:layer=None", "inner", "layer", None, None),
        ("noise:seed=7", "noise", "seed", None, 7),
        ("int:int=3", "int", "int", None, 3),
    ],
)
def test_declaration(
    text: str, name: str, kind: str, constraint: str | None, default: Default
) -> None:
    attribute = Attribute(name, declare_type(kind, constraint), default)
    assert read_attribute(text) == Declaration(attribute, text)
    assert read_attribute(text).name == name


@pytest.mark.parametrize(
    ("text", "message", "fix", "carets"),
    [
        (
            "filters",
            "`filters` is neither name=value nor name:type.",
            "Write `filters=...` for an attribute of the template, `filters:int=1` for a new one.",
            "^^^^^^^",
        ),
        (
            "",
            "`` is neither name=value nor name:type.",
            "Write `name=...` for an attribute of the template, `name:int=1` for a new one.",
            "^",
        ),
        ("int:units", "`int` is a type, but the name comes first.", "Write `units:int`.", "^^^"),
        (
            "int:units=3",
            "`int` is a type, but the name comes first.",
            "Write `units:int=3`.",
            "^^^",
        ),
        (
            "float:gain=1.0{>0}",
            "`float` is a type, but the name comes first.",
            "Write `gain:float=1.0{>0}`.",
            "^^^^^",
        ),
        (
            "ints:size(2)=3",
            "`ints` is a type, but the name comes first.",
            "Write `size:ints(2)=3`.",
            "^^^^",
        ),
        ("gain:flaot=1", "unknown type `flaot`. Did you mean `float`?", "", "     ^^^^^"),
        (
            "gain:quux=1",
            "unknown type `quux`; the types are int, float, bool, str, enum, ints, activation, "
            "initializer, regularizer, constraint, seed, layer.",
            "",
            "     ^^^^",
        ),
        (
            "gain:=1",
            "unknown type ``; the types are int, float, bool, str, enum, ints, activation, "
            "initializer, regularizer, constraint, seed, layer.",
            "",
            "     ^",
        ),
        (
            "gain:float=1.0{",
            "the constraint is malformed.",
            "Close the brace and quote it for the shell: 'gain:float=1.0{>0}'.",
            "              ^",
        ),
        (
            "gain:float=1.0{>0",
            "the constraint is malformed.",
            "Close the brace and quote it for the shell: 'gain:float=1.0{>0}'.",
            "              ^^^",
        ),
        (
            "gain:float=1.0{>0}=2",
            "the constraint is malformed.",
            "Close the brace and quote it for the shell: 'gain:float=1.0{>0}'.",
            "              ^^^^^^",
        ),
        (
            "gain:float=1.0{=0}",
            "`=0` is not a bound; write `>0` or `>=0,<1`.",
            "",
            "     ^^^^^^^^^^^^^",
        ),
        (
            "mode:enum(sum,mean",
            "a parenthesis is not closed.",
            "Quote the attribute for the shell: 'mode:enum(sum,mean)=sum'.",
            "         ^^^^^^^^^",
        ),
        (
            "mode:enum(sum)",
            "`enum` needs two or more different words, as in `enum(sum,mean)`.",
            "",
            "     ^^^^^^^^^",
        ),
        (
            "size:ints(2)3",
            "unexpected `3` after the type.",
            "Only `=default` and `{constraint}` can follow the type.",
            "            ^",
        ),
        ("units:int=x", "invalid default: `x` is not an int.", "", "          ^"),
        ("units:int=", "invalid default: `` is not an int.", "", "          ^"),
        (
            "gain:float=0{>0}",
            "invalid default: 0.0 violates the constraint {>0}.",
            "",
            "           ^",
        ),
        (
            "mode:enum(sum,mean)=maen",
            "invalid default: 'maen' is not one of sum, mean. Did you mean `mean`?",
            "",
            "                    ^^^^",
        ),
        ("flag:bool=true{>0}", "`bool` takes no constraint in braces.", "", "     ^^^^^^^^^^^^^"),
        (
            "inner:layer=dense",
            "invalid default: a layer can't be a default, because all instances would share its "
            "weights; "
            "leave it out, or write `=None`.",
            "",
            "            ^^^^^",
        ),
    ],
)
def test_errors_point_at_the_cause(text: str, message: str, fix: str, carets: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_attribute(text)
    error = caught.value
    start = len(carets) - len(carets.lstrip())
    assert (error.message, error.fix) == (message, fix)
    assert error.place is not None
    pointed = " " * error.place.start + "^" * max(error.place.end - error.place.start, 1)
    assert (error.place.text, error.place.start, pointed) == (text, start, carets)


@pytest.mark.parametrize(
    ("hidden", "code"),
    [("\0", "U+0000"), ("\t", "U+0009"), ("\n", "U+000A"), ("\x1b", "U+001B"), ("\x7f", "U+007F"),
     ("\x85", "U+0085"), ("\xad", "U+00AD"), ("\u200b", "U+200B"), ("\u202e", "U+202E"),
     ("\u2028", "U+2028"), ("\ufeff", "U+FEFF"), ("\ud800", "U+D800"), ("\ue000", "U+E000"),
     ("\U000e0041", "U+E0041")],
)  # fmt: skip
@pytest.mark.parametrize("text", ["na{}me=1", "name:int{}=1", "name:str=te{}xt"])
def test_what_cannot_be_seen(text: str, hidden: str, code: str) -> None:
    with pytest.raises(UnsafeError) as caught:
        read_attribute(text.replace("{}", hidden))
    assert caught.value.message == (
        f"the attribute `{text.replace('{}', '�')}` contains the control character {code}."
    )
    assert caught.value.fix == "Retype it without invisible characters."
    assert caught.value.exit_code == 4


def test_too_long() -> None:
    longest = "title:str=" + "a" * 1_990
    assert read_attribute(longest).name == "title"
    with pytest.raises(UnsafeError) as caught:
        read_attribute(longest + "a")
    assert caught.value.message == "the attribute `title:str=aaaaaaaaaa…` has 2001 characters."
    assert caught.value.fix == "The limit is 2000."


def test_place_of_a_value() -> None:
    given = read_attribute("filters=64")
    assert isinstance(given, Assignment)
    assert given.place() == Place("filters=64", 8, 10)


PIECES = st.sampled_from(
    [*TYPES, *":={}(),<>-. \"'\\", "name", "1", "0.5", "None", "true", "sum", "relu", "{>0}", "\0"]
)


@given(st.text() | st.lists(PIECES, max_size=12).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        given = read_attribute(text)
    except ScaffoldError as error:
        place = error.place
        assert place is None or 0 <= place.start <= place.end <= max(len(place.text), 1)
        return
    assert given.text == text


@given(st.text() | st.lists(PIECES, max_size=12).map("".join), st.none() | st.text(max_size=9))
def test_any_type_is_declared_or_refused(text: str, constraint: str | None) -> None:
    try:
        type_ = declare_type(text, constraint)
    except ValueError:
        return
    assert declare_type(type_.declaration(), type_.bounds or None) == type_
