from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.generation.attributes.constraint import ANY, Bound, Constraint

DIGITS = st.from_regex(
    r"-?([0-9]{1,17}(\.[0-9]{0,21})?|\.[0-9]{1,21})([eE][-+]?[0-9]{1,2})?", fullmatch=True
)
LOWER = st.tuples(st.sampled_from([">", ">="]), DIGITS).map("".join)
UPPER = st.tuples(st.sampled_from(["<", "<="]), DIGITS).map("".join)
BOUNDS = LOWER | UPPER | st.tuples(LOWER, UPPER).map(",".join)


@pytest.mark.parametrize(
    ("text", "constraint", "phrase"),
    [
        (">0", Constraint(lower=Bound(0, inclusive=False)), "greater than 0"),
        (">=0", Constraint(lower=Bound(0, inclusive=True)), "of at least 0"),
        ("<0.5", Constraint(upper=Bound(0.5, inclusive=False)), "less than 0.5"),
        ("<=-1e3", Constraint(upper=Bound(-1000.0, inclusive=True)), "of at most -1000.0"),
        (
            " >= 0 , < 1 ",
            Constraint(Bound(0, inclusive=True), Bound(1, inclusive=False)),
            "in the range [0, 1)",
        ),
        (
            "<=1,>.5",
            Constraint(Bound(0.5, inclusive=False), Bound(1, inclusive=True)),
            "in the range (0.5, 1]",
        ),
    ],
)
def test_parse(text: str, constraint: Constraint, phrase: str) -> None:
    assert Constraint.parse(text) == constraint
    assert constraint.phrase() == phrase


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "`` is not a bound; write `>0` or `>=0,<1`"),
        (">", "`>` is not a bound; write `>0` or `>=0,<1`"),
        ("=>0", "`=>0` is not a bound; write `>0` or `>=0,<1`"),
        (">0,", "`` is not a bound; write `>0` or `>=0,<1`"),
        (">0 or <1", "`>0 or <1` is not a bound; write `>0` or `>=0,<1`"),
        (">nan", "`>nan` is not a bound; write `>0` or `>=0,<1`"),
        (">__import__('os')", "`>__import__('os')` is not a bound; write `>0` or `>=0,<1`"),
        (">0,>=1", "`>0,>=1` bounds the same side twice"),
        ("<1,<2", "`<1,<2` bounds the same side twice"),
        (">1e999", "`>1e999` is not finite"),
        ("<-1e999", "`<-1e999` is not finite"),
    ],
)
def test_parse_refuses(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message is compared
        Constraint.parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (">0", [1, 1e-300, math.inf], [0, -0.0, -1, math.nan]),
        (">=0", [0, 0.0, 5], [-1, -1e-300, math.nan]),
        ("<1", [0, -math.inf], [1, 1.0, 2, math.nan]),
        ("<=1", [1, 1.0], [1.0000001, math.nan]),
        (">=0,<1", [0, 0.999], [1, -0.001, math.nan]),
    ],
)
def test_allows(text: str, inside: list[float], outside: list[float]) -> None:
    constraint = Constraint.parse(text)
    assert [constraint.allows(value) for value in inside] == [True] * len(inside)
    assert [constraint.allows(value) for value in outside] == [False] * len(outside)


def test_any() -> None:
    assert ANY.allows(-1e300)
    assert not ANY.allows(math.nan)
    assert not ANY
    assert (str(ANY), ANY.phrase(), ANY.broken("x"), ANY.holds("x")) == ("", "", "", "x")


@pytest.mark.parametrize(
    ("text", "broken", "holds"),
    [
        (">0", "x <= 0", "x > 0"),
        (">=0", "x < 0", "x >= 0"),
        ("<1", "x >= 1", "x < 1"),
        ("<=1", "x > 1", "x <= 1"),
        (">=0,<1", "not 0 <= x < 1", "0 <= x < 1"),
        (">0,<=1", "not 0 < x <= 1", "0 < x <= 1"),
    ],
)
def test_comparisons(text: str, broken: str, holds: str) -> None:
    constraint = Constraint.parse(text)
    assert constraint.broken("x") == broken
    assert constraint.holds("x") == holds
    for number in (-1, 0, 0.5, 1, 2):
        assert eval(holds, {"x": number}) is constraint.allows(number)
        assert eval(broken, {"x": number}) is not constraint.allows(number)


@given(BOUNDS)
def test_text_is_read_back_as_the_same(text: str) -> None:
    constraint = Constraint.parse(text)
    assert constraint
    assert Constraint.parse(str(constraint)) == constraint
