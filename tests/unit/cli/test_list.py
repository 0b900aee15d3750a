from __future__ import annotations

import pytest

from conftest import Scaffold
from scaffold.generation.catalog import TARGETS, Catalog

CONV = """\
layer conv: Convolution. Convolution over one, two or three axes, with strides, dilation and groups.
    also: convolution, conv1d, conv2d, conv3d, convolution1d, convolution2d,
    convolution3d, causal_conv, dilated_conv, atrous_conv, pointwise_conv
    filters, kernel_size, strides, padding, data_format, dilation_rate, groups,
    activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer,
    bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint

More: scaffold show TEMPLATE
"""
BLANK = """\
layer blank: Blank. Only your own attributes, with TODOs to fill in; the identity until then.
    no attributes

More: scaffold show TEMPLATE
"""
NAMES = {target: Catalog.builtin().names(target) for target in TARGETS}


@pytest.mark.parametrize("targets", [(), ("layer",), ("model",), ("layers",), ("Models",)])
def test_lists_all(harmless: Scaffold, targets: tuple[str, ...]) -> None:
    outcome = harmless("list", *targets)
    headings = [line.split(":")[0] for line in outcome.out.splitlines() if line[:1] in ("l", "m")]
    wanted = [target.lower().removesuffix("s") for target in targets] or TARGETS
    assert headings == [f"{target} {name}" for target in wanted for name in NAMES[target]]
    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize(
    ("words", "expected"), [(["layer", "dilation", "conv3d"], CONV), (["TODO"], BLANK)]
)
def test_lists_templates_that_match_a_word(
    harmless: Scaffold, words: list[str], expected: str
) -> None:
    outcome = harmless("list", *words)
    first = expected.removesuffix("\nMore: scaffold show TEMPLATE\n")
    assert (outcome.code, outcome.out[: len(first)], outcome.err) == (0, first, "")


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["Dropout"], ["dropout", "spatial_dropout", "attention"]),
        (["linear", "attention"], ["attention", "dense"]),
        (["layers", "attention", "linear"], ["attention", "dense"]),
        (["MaxPooling2D"], ["pooling"]),
        (["models", "images"], ["cnn", "diffusion", "gan"]),
        (["quux", "rope"], ["position_embedding"]),
    ],
)
def test_the_best_come_first(harmless: Scaffold, words: list[str], first: list[str]) -> None:
    templates = harmless("list", *words, "--json").answer()["result"]["templates"]
    assert [template["name"] for template in templates[: len(first)]] == first


def test_a_word_is_not_searched_inside_others(harmless: Scaffold) -> None:
    assert harmless("list", "ense", "--json").answer()["result"] == {"templates": []}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["linaer"], "linaer. Did you mean `linear`?"),
        (["laer"], "laer. Did you mean `layer`?"),
        (["quux", "kwyjibo"], "quux or kwyjibo."),
        (["film"], "film.\nNearest: layer merge, layer dense, layer layer_normalization"),
        (["model", "VGG"], "VGG.\nNearest: model cnn, model resnet"),
        (["q\x1bx"], "q\ufffdx."),
    ],
)
def test_nothing_matches(harmless: Scaffold, words: list[str], said: str) -> None:
    outcome = harmless("list", *words)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        f"No template matches {said}\n"
        "To start from scratch: scaffold layer MyLayer --template blank\n"
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
        "summary": "The smallest complete layer: one argument, a kernel and a bias.",
        "words": ["projection"],
        "attributes": ["output_dim"],
    }
    assert templates[NAMES["layer"].index("conv")]["attributes"].count("padding") == 1
