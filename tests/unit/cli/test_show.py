from __future__ import annotations

import pytest

from conftest import Scaffold
from scaffold.generation.catalog import Catalog

DENSE = """\
dense (layer): Dense
Densely-connected layer over the last axis of the input.
formula: activation(inputs @ kernel + bias)
source: keras.layers.Dense
aliases: dense, linear

attributes:
  units:int{>0}                                  Positive int, size of the output's last axis.
  activation:activation=None                     Activation function or its name, `None` for the \
identity.
  use_bias:bool=true                             Bool, whether to add a bias.
  kernel_initializer:initializer=glorot_uniform  Initializer of `kernel`.
  bias_initializer:initializer=zeros             Initializer of `bias`.
  kernel_regularizer:regularizer=None            Regularizer of `kernel`.
  bias_regularizer:regularizer=None              Regularizer of `bias`.
  activity_regularizer:regularizer=None          Regularizer of the output.
  kernel_constraint:constraint=None              Constraint on `kernel`.
  bias_constraint:constraint=None                Constraint on `bias`.

example: scaffold layer MyDense --template dense

"""
BLANK = """\
blank (layer): Blank
Only your own attributes, with TODOs to fill in; the identity until then.
aliases: blank

example: scaffold layer MyBlank --template blank

"""
OPTIONS = """
options:
  --option rank=1|2|3  Number of spatial axes: 1 for sequences, 2 for images, 3 for volumes.
"""


@pytest.mark.parametrize(("name", "head"), [("dense", DENSE), ("blank", BLANK)])
def test_show(harmless: Scaffold, scaffold: Scaffold, name: str, head: str) -> None:
    outcome = harmless("show", name)
    assert (outcome.code, outcome.err) == (0, "")
    words = ["layer", f"My{name.title()}", "--template", name, "--package", "my_project"]
    result = scaffold(*words, "--dry-run", "--json").answer()["result"]
    assert outcome.out == head + result["changes"][0]["content"]


def test_options(harmless: Scaffold) -> None:
    shown = harmless("show", "conv").out
    start = shown.index("\noptions:")
    assert shown[start : start + len(OPTIONS)] == OPTIONS
    assert "  strides:ints(2)=1,1{>0}    " in shown[shown.index("  strides") :][:30]


def test_finds_a_variant_by_its_word(harmless: Scaffold) -> None:
    outcome = harmless("show", "conv3d")
    command = "example: scaffold layer MyConv --template conv --option rank=3"
    assert command in outcome.out.splitlines()
    assert "source: keras.layers.Conv3D" in outcome.out.splitlines()
    assert '"""`MyConv`: 3D convolution."""' in outcome.out.splitlines()


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("Conv2D", "scaffold layer MyConv --template conv --option rank=2"),
        ("MyConv", "scaffold layer MyConv --template conv"),
        ("keras.layers.GRUCell",
         "scaffold layer MyRecurrent --template recurrent --option kind=gru --option part=cell"),
        ("MyUNet2D", "scaffold model MyUnet --template unet"),
        ("ResNet152",
         "scaffold model MyResnet --template resnet --option block=bottleneck num_blocks=3,8,36,3"),
    ],
)  # fmt: skip
def test_finds_the_template_of_a_class_name(harmless: Scaffold, name: str, command: str) -> None:
    result = harmless("show", name, "--json").answer()["result"]
    assert result["example"]["command"] == command


def test_a_words_defaults_are_those_of_the_attributes(harmless: Scaffold) -> None:
    result = harmless("show", "ResNet101", "--json").answer()["result"]
    [blocks] = [one for one in result["attributes"] if one["name"] == "num_blocks"]
    assert (blocks["default"], blocks["usage"]) == (
        [3, 4, 23, 3],
        "num_blocks:ints=3,4,23,3{>0}",
    )
    signature = "        num_blocks=(3, 4, 23, 3),"
    assert signature in result["example"]["source"].splitlines()


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("VGG16", "See `scaffold show conv`, `scaffold show cnn`, `scaffold show resnet`."),
        ("MyCnov", "See `scaffold show conv`, `scaffold show cnn`."),
    ],
)
def test_an_unknown_name_gets_the_nearest(harmless: Scaffold, name: str, fix: str) -> None:
    outcome = harmless("show", name)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"Error: template `{name}` not found.\n{fix}\n"


def test_json_says_the_same(harmless: Scaffold) -> None:
    for name in Catalog.builtin().names("layer"):
        result = harmless("show", name, "--json").answer()["result"]
        plain = harmless("show", name).out
        assert plain.splitlines()[0] == f"{name} (layer): {result['title']}"
        assert plain.splitlines()[1] == result["summary"]
        assert plain.endswith(
            f"\nexample: {result['example']['command']}\n\n{result['example']['source']}"
        )
        for attribute in result["attributes"]:
            [line] = [
                line for line in plain.splitlines() if line.startswith(f"  {attribute['usage']} ")
            ]
            assert line.removeprefix(f"  {attribute['usage']}").strip() == attribute["doc"]


def test_json(harmless: Scaffold) -> None:
    result = harmless("show", "conv", "--json").answer()["result"]
    assert (result["source"], result["formula"]) == (
        "keras.layers.Conv2D",
        "activation(conv(inputs, kernel) + bias)",
    )
    assert result["words"] == [
        *("conv", "convolution", "conv1d", "conv2d", "conv3d"),
        *("convolution1d", "convolution2d", "convolution3d"),
        *("causal_conv", "dilated_conv", "atrous_conv", "pointwise_conv"),
    ]
    assert result["options"] == [
        {
            "name": "rank",
            "values": [1, 2, 3],
            "default": 2,
            "doc": "Number of spatial axes: 1 for sequences, 2 for images, 3 for volumes.",
        }
    ]
    filters, _, strides, padding, *_ = result["attributes"]
    assert filters == {
        "name": "filters",
        "type": "int",
        "constraint": ">0",
        "required": True,
        "default": None,
        "usage": "filters:int{>0}",
        "doc": "Positive int, number of output channels.",
    }
    assert (strides["default"], strides["required"]) == ([1, 1], False)
    assert (padding["constraint"], padding["usage"]) == (None, "padding:enum(valid,same)=valid")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cnov"], "template `cnov` not found. Did you mean `conv`?"),
        (["quux"], "template `quux` not found."),
        (["q\x1bx"], "template `q�x` not found."),
        ([], "Missing argument 'TEMPLATE'."),
    ],
)
def test_refused(harmless: Scaffold, words: list[str], said: str) -> None:
    fix = "See `scaffold list`." if words else "See `scaffold show --help`."
    outcome = harmless("show", *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"Error: {said}\n{fix}\n"
    error = harmless("show", *words, "--json").answer()["error"]
    assert (error["message"], error["fix"]) == (said, fix)
