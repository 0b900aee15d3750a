from __future__ import annotations

import pytest

from conftest import Scaffold
from scaffold.catalog import Catalog

LAYERS = """\
layer blank: Blank. Only your own attributes, with the places to fill marked TODO; the identity \
until then.
    no attributes of its own
layer conv: Convolution. Convolution over one, two or three axes, with strides, dilation and groups.
    filters, kernel_size, strides, padding, data_format, dilation_rate, groups,
    activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer,
    bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint
layer dense: Dense. Densely-connected layer over the last axis of the input.
    units, activation, use_bias, kernel_initializer, bias_initializer,
    kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint,
    bias_constraint
layer projection: Projection. The smallest complete layer: one argument, a kernel and a bias, and \
nothing else.
    output_dim

More: scaffold show TEMPLATE
"""


@pytest.mark.parametrize("words", [["list"], ["list", "layer"]])
def test_list(harmless: Scaffold, words: list[str]) -> None:
    outcome = harmless(*words)
    assert outcome.out == LAYERS
    assert (outcome.code, outcome.err) == (0, "")


def test_nothing_to_list(harmless: Scaffold) -> None:
    outcome = harmless("list", "model")
    assert outcome.out == "There are no model templates yet.\n"
    assert (outcome.code, outcome.err) == (0, "")
    assert harmless("list", "model", "--json").answer()["result"] == {"templates": []}


def test_json(harmless: Scaffold) -> None:
    answer = harmless("list", "--json").answer()
    assert (answer["command"], answer["ok"]) == ("list", True)
    templates = answer["result"]["templates"]
    assert [template["name"] for template in templates] == Catalog.builtin().names("layer")
    assert templates[-1] == {
        "target": "layer",
        "name": "projection",
        "title": "Projection",
        "summary": "The smallest complete layer: one argument, a kernel and a bias, and nothing "
        "else.",
        "attributes": ["output_dim"],
    }
    assert templates[1]["attributes"].count("padding") == 1


def test_unknown_target(harmless: Scaffold) -> None:
    outcome = harmless("list", "laer")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        "Error: Invalid value for '[layer|model]': 'laer' is not one of 'layer', 'model'.\n"
        "See `scaffold list --help`.\n"
    )
    error = harmless("list", "laer", "--json").answer()["error"]
    assert (error["kind"], error["mend"]) == ("usage", "See `scaffold list --help`.")
