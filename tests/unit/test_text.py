from __future__ import annotations

import sys
import unicodedata

import pytest

from scaffold.text import (
    camel_case,
    closest,
    folded,
    natural,
    nearest,
    parts,
    shown,
    snake_case,
    suggested,
    unprintable,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MyConv", "my_conv"),
        ("VGGBlock", "vgg_block"),
        ("Conv2DBlock", "conv2d_block"),
        ("Conv2D", "conv2d"),
        ("MyConv2D", "my_conv2d"),
        ("MyConv1DTranspose", "my_conv1d_transpose"),
        ("MyLSTM", "my_lstm"),
        ("LSTMCell", "lstm_cell"),
        ("GatedDense", "gated_dense"),
        ("ResNet50V2", "res_net50_v2"),
        ("CBAMv2", "cbam_v2"),
        ("UNet", "u_net"),
        ("ViT", "vi_t"),
        ("MLPMixer", "mlp_mixer"),
        ("My_Conv", "my_conv"),
        ("MyConv_", "my_conv"),
        ("X", "x"),
        ("Äpfel", "äpfel"),
    ],
)
def test_snake_case(name: str, expected: str) -> None:
    assert snake_case(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("my_conv", "MyConv"),
        ("my-conv 2", "MyConv2"),
        ("myConv", "MyConv"),
        ("_x", "X"),
        ("", ""),
        ("größe", "Größe"),
    ],
)
def test_camel_case(name: str, expected: str) -> None:
    assert camel_case(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ResNet152Block", ["res", "net", "152", "block"]),
        ("UNet2D", ["u", "net", "2d"]),
        ("MyConv1DTranspose", ["my", "conv", "1d", "transpose"]),
        ("MacroF1Metric", ["macro", "f", "1", "metric"]),
        ("ResNet50V2", ["res", "net", "50", "v", "2"]),
        ("GPT2", ["gpt", "2"]),
        ("conv2dense", ["conv", "2", "dense"]),
        ("Ωmega_", ["ωmega"]),
    ],
)
def test_parts(name: str, expected: list[str]) -> None:
    assert parts(name) == expected
    assert folded(name) == "".join(expected)


@pytest.mark.parametrize(
    ("word", "slips", "expected"),
    [
        ("conv", 0, "conv"),
        ("cnov", 1, "conv"),
        ("cnov", 0, ""),
        ("convs", 1, "conv"),
        ("onv", 1, "conv"),
        ("canv", 1, "conv"),
        ("ncvo", 1, ""),
        ("dnese", 2, "dense"),
        ("denes", 1, "dense"),
        ("", 2, ""),
    ],
)
def test_closest(word: str, slips: int, expected: str) -> None:
    assert closest(word, ["", "dense", "conv"], slips) == expected


def test_natural() -> None:
    names = ["", "0", "02", "2", "10", "a", "a0", "a02", "a2", "a10", "a_", "ab", "é"]
    assert sorted({*names}, key=natural) == names


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("flaot", ". Did you mean `float`?"),
        ("FLOAT", ". Did you mean `float`?"),
        ("relu", ". Did you mean `ReLU`?"),
        ("quux", ""),
        ("it", ". Did you mean `int`?"),
        ("lint", ". Did you mean `int`?"),
        ("['int']", ". Did you mean `int`?"),
        ("intern", ""),
        ("i", ""),
        ("", ""),
    ],
)
def test_nearest(word: str, expected: str) -> None:
    assert nearest(word, ["float", "ReLU", "int"]) == expected
    assert nearest(word, []) == ""


def test_suggested_reads_what_nearest_has_written() -> None:
    known = ["float", "ReLU", "non-neg", "my_layer.py"]
    for word in known:
        guess = nearest(f"{word}x", known)
        assert suggested(f"unknown `{word}x`{guess}") == (word,)
        assert suggested(f"unknown `{word}x`{guess} Really.") == ()
    assert suggested("unknown `x`") == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("a ~ \xa0 é 层 🎉", ""),
        ("a\u0301", ""),
        ("a\tb\n", "U+0009"),
        ("a\x7f", "U+007F"),
        ("\U000e0001", "U+E0001"),
    ],
)
def test_unprintable(text: str, expected: str) -> None:
    assert unprintable(text) == expected


def test_whatever_breaks_a_line_or_hides_is_unprintable() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        breaks = len(f"a{character}b".splitlines()) > 1
        hides = unicodedata.category(character)[0] == "C"
        assert bool(unprintable(character)) == (breaks or hides)


def test_shown() -> None:
    assert shown("a\x1b[31mb\u202e") == "a�[31mb�"
    assert shown("a" * 60) == "a" * 60
    assert shown("a" * 61) == "a" * 60 + "…"
    assert shown("abc", 2) == "ab…"
