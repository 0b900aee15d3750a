from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.errors import UnsafeError, UsageError
from scaffold.generation.composition import Parallel, Residual, Use, read_use
from scaffold.generation.composition.stage import uses


@pytest.mark.parametrize(
    ("text", "layer", "home", "arguments"),
    [
        ("Flatten", "Flatten", "", {}),
        ("Dense:units=10", "Dense", "", {"units": "10"}),
        ("conv:filters=32:kernel_size=3,5", "conv", "", {"filters": "32", "kernel_size": "3,5"}),
        ("./my_conv.py:MyConv:filters=64", "MyConv", "./my_conv.py", {"filters": "64"}),
        ("my.layers:MyConv", "MyConv", "my.layers", {}),
        ("Dense:units = 10", "Dense", "", {"units": "10"}),
        ("Dense:activation=a=b", "Dense", "", {"activation": "a=b"}),
    ],
)
def test_reads(text: str, layer: str, home: str, arguments: dict[str, str]) -> None:
    assert read_use(text) == Use(layer, home, arguments, text)


@pytest.mark.parametrize(
    ("text", "message", "pointed"),
    [
        ("", "`` does not name a layer.", ""),
        (":units=3", "`:units=3` does not name a layer.", ":"),
        ("units=3", "`units=3` does not name a layer.", "units=3"),
        ("Dense:units=1:x", "`x` is not name=value.", "x"),
        ("Dense:1=2", "`1=2` is not name=value.", "1=2"),
        ("Dense:units=1:units=2", "`units` is given twice.", "units=2"),
    ],
)
def test_refuses(text: str, message: str, pointed: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_use(text)
    assert caught.value.message == message
    place = caught.value.place
    assert place is not None
    assert place.text[place.start : place.end] == pointed


def test_refuses_what_cannot_be_seen() -> None:
    with pytest.raises(UnsafeError, match="control character U\\+0007"):
        read_use("Den\ase")


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
values = st.text(st.characters(codec="ascii", categories=("L", "N", "P")), max_size=9).filter(
    lambda text: ":" not in text
)


@given(names, st.dictionaries(names, values, max_size=3), st.sampled_from(["", "a.py", "a.b"]))
def test_what_is_written_is_read_again(layer: str, arguments: dict[str, str], home: str) -> None:
    use = Use(layer, home, arguments)
    read = read_use(use.written())
    assert (read.layer, read.home, read.arguments) == (layer, home, arguments)


@given(st.text(max_size=30))
def test_anything_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError, UnsafeError):
        assert read_use(text).text == text


def test_uses_are_in_the_order_of_the_data() -> None:
    a, b, c, d = (Use(name) for name in "ABCD")
    assert list(uses([a, Residual([b]), Parallel([[c], [d]])])) == [a, b, c, d]
