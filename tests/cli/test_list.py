from __future__ import annotations

import pytest

from conftest import Scaffold
from scaffold.catalog import TARGETS, Catalog

CONV = """\
layer conv: Convolution. Convolution over one, two or three axes, with strides, dilation and groups.
    also: convolution, conv1d, conv2d, conv3d
    filters, kernel_size, strides, padding, data_format, dilation_rate, groups,
    activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer,
    bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint

More: scaffold show TEMPLATE
"""
BLANK = """\
layer blank: Blank. Only your own attributes, with the places to fill marked TODO; the identity \
until then.
    no attributes of its own

More: scaffold show TEMPLATE
"""
NAMES = {target: Catalog.builtin().names(target) for target in TARGETS}


@pytest.mark.parametrize("targets", [(), ("layer",), ("model",)])
def test_lists_all(harmless: Scaffold, targets: tuple[str, ...]) -> None:
    outcome = harmless("list", *targets)
    headings = [line.split(":")[0] for line in outcome.out.splitlines() if line[:1] in ("l", "m")]
    wanted = targets or TARGETS
    assert headings == [f"{target} {name}" for target in wanted for name in NAMES[target]]
    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["convolution", "groups"], CONV),
        (["layer", "GROUPS", "conv3d"], CONV),
        (["TODO"], BLANK),
    ],
)
def test_lists_what_is_about_all_words(harmless: Scaffold, words: list[str], expected: str) -> None:
    outcome = harmless("list", *words)
    assert (outcome.code, outcome.out, outcome.err) == (0, expected, "")


def test_what_is_called_so_comes_first(harmless: Scaffold) -> None:
    templates = harmless("list", "Dropout", "--json").answer()["result"]["templates"]
    assert [template["name"] for template in templates[:3]] == [
        "dropout",
        "spatial_dropout",
        "attention",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["linaer"], "linaer. Did you mean `linear`?"),
        (["laer"], "laer. Did you mean `layer`?"),
        (["quux", "conv"], "quux and conv."),
        (["q\x1bx"], "q\ufffdx."),
    ],
)
def test_nothing_is_about_it(harmless: Scaffold, words: list[str], said: str) -> None:
    outcome = harmless("list", *words)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        f"No template is about {said}\n"
        "Begin with your own attributes alone: scaffold layer MyLayer --template blank\n"
    )
    assert harmless("list", *words, "--json").answer()["result"] == {"templates": []}


def test_json(harmless: Scaffold) -> None:
    answer = harmless("list", "--json").answer()
    assert (answer["command"], answer["ok"]) == ("list", True)
    templates = answer["result"]["templates"]
    assert [template["name"] for template in templates] == NAMES["layer"] + NAMES["model"]
    assert templates[NAMES["layer"].index("projection")] == {
        "target": "layer",
        "name": "projection",
        "title": "Projection",
        "summary": "The smallest complete layer: one argument, a kernel and a bias, and nothing "
        "else.",
        "words": ["projection"],
        "attributes": ["output_dim"],
    }
    assert templates[NAMES["layer"].index("conv")]["attributes"].count("padding") == 1
