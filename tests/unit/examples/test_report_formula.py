"""Formulas as MathML: their exact output, and that every formula can be rendered."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.generation.catalog import TARGETS, Catalog
from tools.examples.report.formula import mathml

FORMULAS = [
    template.formula
    for target in TARGETS
    for template in Catalog.builtin().templates(target)
    if template.formula
]
CALL = "<mo>\N{FUNCTION APPLICATION}</mo>"
GAP = '<mspace width="0.4em"/>'
MINUS = "<mo>\N{MINUS SIGN}</mo>"
TIMES = "<mo>\N{MULTIPLICATION SIGN}</mo>"


def inside(formula: str) -> str:
    """Return the content of the `math` element, which is well-formed XML."""
    text = mathml(formula)
    ElementTree.fromstring(text)
    start, end = text.index(">") + 1, text.rindex("</math>")
    return text[start:end]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (
            "activation(x)",
            f"<mrow><mi>activation</mi>{CALL}<mrow><mo>(</mo><mi>x</mi><mo>)</mo></mrow></mrow>",
        ),
        (
            "inputs * kept / (1 - rate)",
            f"<mrow><mi>inputs</mi>{TIMES}<mfrac><mi>kept</mi>"
            f"<mrow><mn>1</mn>{MINUS}<mi>rate</mi></mrow></mfrac></mrow>",
        ),
        ("sqrt(sigma)", "<msqrt><mi>\N{GREEK SMALL LETTER SIGMA}</mi></msqrt>"),
        ("beta_1", "<msub><mi>\N{GREEK SMALL LETTER BETA}</mi><mn>1</mn></msub>"),
        ("block_n", "<msub><mi>block</mi><mi>n</mi></msub>"),
        ("W_label", "<msub><mi>W</mi><mi>label</mi></msub>"),
        ("W0", "<msub><mi>W</mi><mn>0</mn></msub>"),
        ("depthwise_conv", "<mi>depthwise_conv</mi>"),
        ("fft2", "<mi>fft2</mi>"),
        (
            "A' @ x",
            '<mrow><msup><mi>A</mi><mo lspace="0" rspace="0">\N{PRIME}</mo></msup>'
            "<mo>\N{DOT OPERATOR}</mo><mi>x</mi></mrow>",
        ),
        (
            "D^(-1/2)",
            f"<msup><mi>D</mi><mrow>{MINUS}<mrow><mn>1</mn><mo>/</mo><mn>2</mn></mrow></mrow></msup>",
        ),
        ("2**i", "<msup><mn>2</mn><mi>i</mi></msup>"),
        ("tokens.T", "<msup><mi>tokens</mi><mi>T</mi></msup>"),
        ("abs(x)", "<mrow><mo>|</mo><mi>x</mi><mo>|</mo></mrow>"),
        ("|x|**2", "<msup><mrow><mo>|</mo><mi>x</mi><mo>|</mo></mrow><mn>2</mn></msup>"),
        (
            "h_(i-1)[t]",
            f"<mrow><msub><mi>h</mi><mrow><mi>i</mi>{MINUS}<mn>1</mn></mrow></msub>"
            "<mrow><mo>[</mo><mi>t</mi><mo>]</mo></mrow></mrow>",
        ),
        (
            "f for each step t",
            "<mrow><mi>f</mi><mtext>\N{NO-BREAK SPACE}for each step\N{NO-BREAK SPACE}</mtext>"
            "<mi>t</mi></mrow>",
        ),
        (
            "a or a rotation",
            "<mrow><mi>a</mi><mtext>\N{NO-BREAK SPACE}or a\N{NO-BREAK SPACE}</mtext>"
            "<mi>rotation</mi></mrow>",
        ),
        ("-log p", f"<mrow><mrow>{MINUS}<mi>log</mi></mrow>{GAP}<mi>p</mi></mrow>"),
        (
            "p | z",
            '<mrow><mi>p</mi><mo stretchy="false">|</mo><mi>z</mi></mrow>',
        ),
        (
            "f(x), x = y",
            '<mtable displaystyle="true"><mtr><mtd><mrow><mrow><mi>f</mi>'
            f"{CALL}<mrow><mo>(</mo><mi>x</mi><mo>)</mo></mrow></mrow><mo>,</mo></mrow></mtd></mtr>"
            "<mtr><mtd><mrow><mi>x</mi><mo>=</mo><mi>y</mi></mrow></mtd></mtr></mtable>",
        ),
        (
            "a, b = c",
            "<mrow><mi>a</mi><mo>,</mo><mi>b</mi><mo>=</mo><mi>c</mi></mrow>",
        ),
    ],
)
def test_is_set(formula: str, expected: str) -> None:
    assert inside(formula) == expected


@pytest.mark.parametrize("formula", FORMULAS)
def test_sets_each_formula_of_the_catalogue(formula: str) -> None:
    text = "".join(ElementTree.fromstring(mathml(formula)).itertext())
    for sign in "*@^~":
        assert sign not in text
    assert text.count("(") == text.count(")")


def test_keeps_the_formula_as_it_was_written() -> None:
    root = ElementTree.fromstring(mathml('x < "y" & z'))
    assert root.get("alttext") == 'x < "y" & z'


@given(st.text(st.sampled_from("ab_1 .,;:|()[]'+-*/@^=~<>&é…")))
def test_sets_whatever_is_written(formula: str) -> None:
    root = ElementTree.fromstring(mathml(formula))
    letters = [letter for letter in formula if letter in "ab"]
    assert [letter for letter in "".join(root.itertext()) if letter in "ab"] == letters
