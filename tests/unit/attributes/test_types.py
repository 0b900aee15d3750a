from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.generation.attributes import REQUIRED, TYPES, Attribute, AttributeType, Value
from scaffold.generation.attributes.base import Default
from scaffold.generation.attributes.constraint import Constraint
from scaffold.generation.attributes.grammar import declare_type
from scaffold.generation.attributes.keras_objects import LayerType, Seed
from scaffold.generation.attributes.numeric import Float, Int, Ints
from scaffold.generation.attributes.text import Bool, Choice, Str

DECLARATIONS = [
    ("int", None),
    ("int", ">0"),
    ("int", ">=1,<=2"),
    ("int", ">0.5,<3.5"),
    ("int", "<-5"),
    ("float", None),
    ("float", ">0"),
    ("float", ">=0,<1"),
    ("float", ">=1e300"),
    ("float", "<=-1e16"),
    ("float", ">12345678901234567"),
    ("float", "<=12345678901234567"),
    ("float", ">0,<1e-300"),
    ("bool", None),
    ("str", None),
    ("enum(sum,mean)", None),
    ("enum(None,it's,a b)", None),
    ("ints", None),
    ("ints", ">=1,<=2"),
    ("ints(1)", ">0"),
    ("ints(2)", None),
    ("ints(2)", ">=1,<=2"),
    ("ints(9)", ">=0"),
    ("activation", None),
    ("initializer", None),
    ("regularizer", None),
    ("constraint", None),
    ("seed", None),
    ("layer", None),
]
each_declaration = pytest.mark.parametrize(("kind", "constraint"), DECLARATIONS)


def complaint(call: Any, *arguments: object) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message is compared
        call(*arguments)
    return str(caught.value)


def values(type_: AttributeType) -> st.SearchStrategy[Any]:
    """Draw values that a type accepts, as read from a file."""
    match type_:
        case Int():
            return ints_within(type_.constraint)
        case Float():
            return floats_within(type_.constraint)
        case Ints():
            item = ints_within(type_.constraint)
            most = type_.length or 4
            return st.lists(item, min_size=type_.length or 0, max_size=most) | item
        case Str():
            return st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=20)
        case Seed():
            return st.integers(0, 999_999_999) | st.none()
        case Bool():
            return st.booleans()
        case Choice():
            return st.sampled_from(type_.choices)
        case LayerType():
            return st.none()
    return st.sampled_from(type_.completions()) | st.none()


def ints_within(constraint: Constraint) -> st.SearchStrategy[int]:
    low = math.ceil(constraint.lower.value) if constraint.lower else 1 - 10**18
    high = math.floor(constraint.upper.value) if constraint.upper else 10**18 - 1
    return st.integers(low, high).filter(constraint.allows)


def floats_within(constraint: Constraint) -> st.SearchStrategy[float]:
    low = float(constraint.lower.value) if constraint.lower else None
    high = float(constraint.upper.value) if constraint.upper else None
    numbers = st.floats(low, high, allow_nan=False, allow_infinity=False)
    return numbers.filter(constraint.allows)


def test_every_type_is_declared_above() -> None:
    assert {kind.partition("(")[0] for kind, _ in DECLARATIONS} == set(TYPES)
    assert list(TYPES) == [kind.keyword for kind in TYPES.values()]


@each_declaration
@given(data=st.data())
def test_the_text_of_a_value(kind: str, constraint: str | None, data: st.DataObject) -> None:
    type_ = declare_type(kind, constraint)
    value = type_.accept(data.draw(values(type_)))
    assert type_.accept(list(value) if isinstance(value, tuple) else value) == value
    if type_.keyword not in ("activation", "initializer", "regularizer", "constraint", "layer"):
        assert eval(type_.source(value)) == value
        assert type(eval(type_.source(value))) is type(value)
    if value is not None:
        assert type_.parse(type_.text(value)) == value
        signature = eval(type_.signature(value))
        assert type_.accept(list(signature) if isinstance(signature, tuple) else signature) == value


@each_declaration
@given(data=st.data())
def test_a_changed_value_is_a_different_valid_one(
    kind: str, constraint: str | None, data: st.DataObject
) -> None:
    type_ = declare_type(kind, constraint)
    default: Default = data.draw(st.sampled_from([REQUIRED, None]))
    if data.draw(st.booleans()):
        default = type_.accept(data.draw(values(type_)))
    if type_.keyword in ("initializer", "regularizer", "constraint", "layer"):
        assert complaint(type_.changed, default) == f"`{type_.keyword}` has no other value"
        return
    changed = type_.changed(default)
    assert changed != default
    assert changed is not None
    assert type_.accept(list(changed) if isinstance(changed, tuple) else changed) == changed


@each_declaration
def test_accepted_values_are_accepted(kind: str, constraint: str | None) -> None:
    type_ = declare_type(kind, constraint)
    for value in type_.accepted():
        assert type_.accept(value) == value


@each_declaration
def test_refused_values_are_refused(kind: str, constraint: str | None) -> None:
    type_ = declare_type(kind, constraint)
    for value in type_.refused():
        complaint(type_.accept, value)
        complaint(type_.accept, list(value) if isinstance(value, tuple) else value)


@pytest.mark.parametrize(
    ("kind", "constraint", "refused"),
    [
        ("int", None, (2.5, True, "2")),
        ("int", ">0", (0, 2.5, True, "2")),
        ("int", ">=1,<=2", (0, 3, 2.5, True, "2")),
        ("int", ">0.5,<3.5", (0, 4, 2.5, True, "2")),
        ("int", ">=0.5,<=3.5", (0, 4, 2.5, True, "2")),
        ("float", None, ("1.0",)),
        ("float", ">0", (0.0, "1.0")),
        ("float", ">=0,<1", (-1.0, 1.0, "1.0")),
        ("float", ">=1e300", (math.nextafter(1e300, 0), "1.0")),
        ("bool", None, ("yes", 2)),
        ("str", None, (2,)),
        ("enum(sum,mean)", None, ("sum-mean",)),
        ("ints", ">0", ((2, 0), (2, True), (2, None), 2.5, "22")),
        ("ints(2)", None, ((2, True), (2, None), (2, 2, 2), 2.5, "22")),
        ("activation", None, ()),
        ("seed", None, ()),
        ("layer", None, ()),
    ],
)
def test_refused(kind: str, constraint: str | None, refused: tuple[object, ...]) -> None:
    assert declare_type(kind, constraint).refused() == refused


@pytest.mark.parametrize(
    ("kind", "constraint", "declaration", "bounds", "phrase"),
    [
        ("int", None, "int", "", "int"),
        ("int", ">0", "int", ">0", "positive int"),
        ("int", ">=1", "int", ">=1", "positive int"),
        ("int", ">=0", "int", ">=0", "non-negative int"),
        ("int", ">2", "int", ">2", "int greater than 2"),
        ("float", ">0", "float", ">0", "float greater than 0"),
        ("float", ">=1", "float", ">=1", "float of at least 1"),
        ("float", "< 1, >= 0", "float", ">=0,<1", "float in the range [0, 1)"),
        ("bool", None, "bool", "", "bool"),
        ("str", None, "str", "", "str"),
        ("enum( sum , mean )", None, "enum(sum,mean)", "", "'sum' or 'mean'"),
        ("enum(a,b,c)", None, "enum(a,b,c)", "", "'a', 'b' or 'c'"),
        ("ints", None, "ints", "", "tuple of ints"),
        ("ints", ">0", "ints", ">0", "tuple of positive ints"),
        ("ints(1)", ">0", "ints(1)", ">0", "positive int, or a tuple of one"),
        ("ints(2)", ">0", "ints(2)", ">0", "positive int, or a tuple of 2 positive ints"),
        (" ints ( 3 )", None, "ints(3)", "", "int, or a tuple of 3 ints"),
        ("activation", None, "activation", "", "activation"),
        ("seed", None, "seed", "", "seed"),
        ("layer", None, "layer", "", "layer"),
    ],
)
def test_words(
    kind: str, constraint: str | None, declaration: str, bounds: str, phrase: str
) -> None:
    type_ = declare_type(kind, constraint)
    assert (type_.declaration(), type_.bounds, type_.phrase()) == (declaration, bounds, phrase)


@pytest.mark.parametrize(
    ("kind", "constraint", "message"),
    [
        (
            "",
            None,
            "unknown type ``; the types are int, float, bool, str, enum, ints, activation, "
            "initializer, regularizer, constraint, seed, layer",
        ),
        ("itn", None, "unknown type `itn`. Did you mean `int`?"),
        ("Float", None, "unknown type `Float`. Did you mean `float`?"),
        ("int(2", None, "`int(2` is not a type"),
        ("int)2", None, "unknown type `int)2`. Did you mean `int`?"),
        ("int(2)x", None, "`int(2)x` is not a type"),
        ("int(2)", None, "`int` takes no parameters in parentheses; put a range in braces"),
        ("float()", None, "`float` takes no parameters in parentheses; put a range in braces"),
        ("bool(2)", None, "`bool` takes no parameters in parentheses"),
        ("bool", ">0", "`bool` takes no constraint in braces"),
        ("str", ">0", "`str` takes no constraint in braces"),
        ("seed", ">0", "`seed` takes no constraint in braces"),
        ("enum(a,b)", ">0", "`enum` takes no constraint in braces"),
        ("enum", None, "`enum` needs two or more different words, as in `enum(sum,mean)`"),
        ("enum()", None, "`enum` needs two or more different words, as in `enum(sum,mean)`"),
        ("enum(a)", None, "`enum` needs two or more different words, as in `enum(sum,mean)`"),
        ("enum(a,,b)", None, "`enum` needs two or more different words, as in `enum(sum,mean)`"),
        ("enum(a, a)", None, "`enum` needs two or more different words, as in `enum(sum,mean)`"),
        ("enum(a\u202eb,c)", None, "it contains the control character U+202E"),
        ("ints(0)", None, "`ints(0)` needs a length from 1 to 9, as in `ints(2)`"),
        ("ints(10)", None, "`ints(10)` needs a length from 1 to 9, as in `ints(2)`"),
        ("ints(two)", None, "`ints(two)` needs a length from 1 to 9, as in `ints(2)`"),
        ("int", "", "`` is not a bound; write `>0` or `>=0,<1`"),
        ("int", ">0,<2", "{>0,<2} leaves fewer than two values"),
        ("int", ">1,<1", "{>1,<1} leaves fewer than two values"),
        ("int", ">1e18", "{>1e+18} leaves fewer than two values"),
        ("ints(2)", ">=3,<=3", "{>=3,<=3} leaves fewer than two values"),
        ("float", ">1,<0", "{>1,<0} leaves fewer than two values"),
        ("float", ">=1,<=1", "{>=1,<=1} leaves fewer than two values"),
    ],
)
def test_declarations_refused(kind: str, constraint: str | None, message: str) -> None:
    assert complaint(declare_type, kind, constraint) == message


@pytest.mark.parametrize(
    ("kind", "constraint", "text", "value"),
    [
        ("int", None, "-3", -3),
        ("int", None, "+3", 3),
        ("int", None, "9" * 18, 10**18 - 1),
        ("float", None, "3", 3.0),
        ("float", None, "1e-3", 0.001),
        ("float", ">=0", "-0.0", -0.0),
        ("bool", None, "true", True),
        ("bool", None, "Yes", True),
        ("bool", None, "ON", True),
        ("bool", None, "1", True),
        ("bool", None, "false", False),
        ("bool", None, "no", False),
        ("bool", None, "off", False),
        ("bool", None, "0", False),
        ("str", None, "", ""),
        ("str", None, " {{ x }} % '\"\\", " {{ x }} % '\"\\"),
        ("enum(sum,mean)", None, "mean", "mean"),
        ("ints", None, "", ()),
        ("ints", None, "()", ()),
        ("ints", None, "3", (3,)),
        ("ints", None, "(3,)", (3,)),
        ("ints", None, " 3 , -5 ", (3, -5)),
        ("ints(2)", None, "3", (3, 3)),
        ("ints(2)", None, "(3,5)", (3, 5)),
        ("ints(1)", None, "3", (3,)),
        ("activation", None, "relu", "relu"),
        ("activation", None, "None", None),
        ("constraint", None, "MaxNorm", "MaxNorm"),
        ("initializer", None, "he_normal", "he_normal"),
        ("regularizer", None, "l2", "l2"),
        ("constraint", None, "non_neg", "non_neg"),
        ("seed", None, "0", 0),
        ("seed", None, "999999999", 999_999_999),
        ("layer", None, "None", None),
    ],
)
def test_parse(kind: str, constraint: str | None, text: str, value: object) -> None:
    parsed = declare_type(kind, constraint).parse(text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("kind", "constraint", "text", "message"),
    [
        ("int", None, "", "`` is not an int"),
        ("int", None, "3.0", "`3.0` is not an int"),
        ("int", None, "1_000", "`1_000` is not an int"),
        ("int", None, "9" * 19, f"`{'9' * 19}` is not an int"),
        ("int", None, "true", "`true` is not an int"),
        ("int", ">0", "0", "0 violates the constraint {>0}"),
        ("float", None, "", "`` is not a float"),
        ("float", None, "1,5", "`1,5` is not a float"),
        ("float", None, "nan", "a float must be finite: not inf, nan, or over 1.8e308"),
        ("float", None, "-inf", "a float must be finite: not inf, nan, or over 1.8e308"),
        ("float", None, "1e999", "a float must be finite: not inf, nan, or over 1.8e308"),
        ("float", ">0", "-0.0", "-0.0 violates the constraint {>0}"),
        ("bool", None, "maybe", "`maybe` is neither true nor false"),
        ("bool", None, "", "`` is neither true nor false"),
        ("str", None, "a\tb", "it contains the control character U+0009"),
        ("str", None, "a\nb", "it contains the control character U+000A"),
        ("str", None, "a\u200bb", "it contains the control character U+200B"),
        ("enum(sum,mean)", None, "maen", "'maen' is not one of sum, mean. Did you mean `mean`?"),
        ("enum(sum,mean)", None, "", "'' is not one of sum, mean"),
        ("ints", None, "3;5", "`3;5` is not a tuple of ints, such as `3` or `3,5`"),
        ("ints", None, "3,,5", "`3,,5` is not a tuple of ints, such as `3` or `3,5`"),
        ("ints(2)", None, "1,2,3", "[1, 2, 3] has 3 ints, not 2"),
        ("ints(2)", None, "", "[] has 0 ints, not 2"),
        ("ints(2)", ">0", "1,0", "0 violates the constraint {>0}"),
        ("activation", None, "rleu", "'rleu' is not a Keras activation. Did you mean `relu`?"),
        ("initializer", None, "x" * 9, "'xxxxxxxxx' is not a Keras initializer"),
        ("regularizer", None, "l3", "'l3' is not a Keras regularizer"),
        (
            "constraint",
            None,
            "nonneg",
            "'nonneg' is not a Keras constraint. Did you mean `non_neg`?",
        ),
        ("seed", None, "-1", "`-1` is not a seed: an int from 0 to 999999999, or None"),
        ("seed", None, "1" * 10, "`1111111111` is not a seed: an int from 0 to 999999999, or None"),
        (
            "layer",
            None,
            "dense",
            "a layer can't be a default, because all instances would share its "
            "weights; leave it out, or write `=None`",
        ),
    ],
)
def test_parse_refuses(kind: str, constraint: str | None, text: str, message: str) -> None:
    assert complaint(declare_type(kind, constraint).parse, text) == message


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("int", True, "True is not an int"),
        ("int", 2.0, "2.0 is not an int"),
        ("int", None, "None is not an int"),
        ("int", 10**18, "an int can have at most 18 digits"),
        pytest.param("int", -(1 << 20_000), "an int can have at most 18 digits", id="huge"),
        ("float", True, "True is not a float"),
        ("float", "1.0", "'1.0' is not a float"),
        pytest.param(
            "float", 10**400, "a float must be finite: not inf, nan, or over 1.8e308", id="big"
        ),
        ("float", math.nan, "a float must be finite: not inf, nan, or over 1.8e308"),
        ("bool", 1, "1 is neither true nor false"),
        ("str", 1, "1 is not a string"),
        ("enum(1,2)", 1, "1 is not one of 1, 2. Did you mean `1`?"),
        ("enum(1,2)", ["1"], "['1'] is not one of 1, 2. Did you mean `1`?"),
        ("ints", "12", "'12' is not a tuple of ints"),
        ("ints", True, "True is not a tuple of ints"),
        ("ints", [True], "True is not an int"),
        ("ints", [1.0], "1.0 is not an int"),
        ("activation", 3, "3 is not a Keras activation"),
        ("activation", ["relu"], "['relu'] is not a Keras activation. Did you mean `relu`?"),
        ("seed", True, "`True` is not a seed: an int from 0 to 999999999, or None"),
        ("seed", 1.0, "`1.0` is not a seed: an int from 0 to 999999999, or None"),
    ],
)
def test_accept_refuses(kind: str, value: object, message: str) -> None:
    assert complaint(declare_type(kind).accept, value) == message


def test_of_a_shape_all_ints_are_written() -> None:
    shape = declare_type("ints(3)", ">0").as_shape()
    message = "28 is one int, but a shape has 3; write `28,28,1`"
    assert complaint(shape.parse, "28") == complaint(shape.accept, 28) == message
    assert shape.parse("28,28,1") == shape.accept([28, 28, 1]) == (28, 28, 1)
    assert complaint(shape.parse, "28,28") == "[28, 28] has 2 ints, not 3"
    assert complaint(declare_type("float").as_shape) == "`float` can't be a shape"


@pytest.mark.parametrize(
    ("kind", "value", "source", "signature"),
    [
        ("int", 3, "3", "3"),
        ("float", 3.0, "3.0", "3.0"),
        ("bool", True, "True", "True"),
        ("str", "a", '"a"', '"a"'),
        ("str", "it's", '"it\'s"', '"it\'s"'),
        ("str", 'say "x"', "'say \"x\"'", "'say \"x\"'"),
        ("str", "\\", '"\\\\"', '"\\\\"'),
        ("ints(2)", (3, 5), "(3, 5)", "(3, 5)"),
        ("ints(1)", (3,), "(3,)", "3"),
        ("ints", (3,), "(3,)", "(3,)"),
        ("activation", None, "None", "None"),
        ("initializer", "zeros", '"zeros"', '"zeros"'),
    ],
)
def test_source(kind: str, value: Value, source: str, signature: str) -> None:
    type_ = declare_type(kind)
    assert (type_.source(value), type_.signature(value)) == (source, signature)


def test_completions() -> None:
    assert declare_type("int").completions() == ()
    assert declare_type("bool").completions() == ("true", "false")
    assert declare_type("enum(sum,mean)").completions() == ("sum", "mean")
    assert declare_type("regularizer").completions() == (
        "l1",
        "l1l2",
        "l2",
        "orthogonal_regularizer",
    )


def test_attribute() -> None:
    required = Attribute("units", declare_type("int", ">0"))
    optional = Attribute("units", declare_type("int", ">0"), None)
    assert (required.required, required.optional) == (True, False)
    assert (optional.required, optional.optional) == (False, True)
    assert (required.read("3"), required.read("None")) == (3, None)
    assert complaint(required.read, "0") == "0 violates the constraint {>0}"
