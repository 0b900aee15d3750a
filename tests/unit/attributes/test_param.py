from __future__ import annotations

import click
import pytest
from click.shell_completion import BashComplete, ShellComplete

from scaffold.cli import cli
from scaffold.cli.attribute_param import AttributeParam
from scaffold.errors import UsageError
from scaffold.generation.attributes.grammar import Assignment
from scaffold.generation.catalog import Catalog

TYPES = [
    "int",
    "float",
    "bool",
    "str",
    "enum",
    "ints",
    "activation",
    "initializer",
    "regularizer",
    "constraint",
    "seed",
    "layer",
]
CONV = [
    "filters",
    "kernel_size",
    "strides",
    "padding",
    "data_format",
    "dilation_rate",
    "groups",
    "activation",
    "use_bias",
    "kernel_initializer",
    "bias_initializer",
    "kernel_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "kernel_constraint",
    "bias_constraint",
]


def completed(*words: str) -> list[str]:
    """Return the completions of a shell for the last of these words."""
    shell = ShellComplete(cli, {}, "scaffold", "_SCAFFOLD_COMPLETE")
    return [item.value for item in shell.get_completions(list(words[:-1]), words[-1])]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["layer", "MyConv", ""], [f"{name}=" for name in CONV]),
        (["layer", "MyConv", "k"], ["kernel_size=", "kernel_initializer=",
                                    "kernel_regularizer=", "kernel_constraint="]),
        (["layer", "MyConv", "filters=3", "kernel_s"], ["kernel_size="]),
        (["layer", "MyConv", "broken", "kernel_s"], ["kernel_size="]),
        (["layer", "GatedDense", "un"], ["units="]),
        (["layer", "--template", "dense", "MyConv", "un"], ["units="]),
        (["layer", "-t", "projection", "X", ""], ["output_dim="]),
        (["layer", "-t", "unknown", "X", ""], []),
        (["layer", "Whatever", ""], []),
        (["layer", "MyConv", "padding="], ["padding=valid", "padding=same"]),
        (["layer", "MyConv1D", "padding="], ["padding=valid", "padding=same", "padding=causal"]),
        (["layer", "MyConv", "padding=s"], ["padding=same"]),
        (["layer", "MyConv", "use_bias="], ["use_bias=true", "use_bias=false"]),
        (["layer", "MyConv", "kernel_regularizer=l"], [
            "kernel_regularizer=l1", "kernel_regularizer=l1l2", "kernel_regularizer=l2"]),
        (["layer", "MyConv", "filters="], []),
        (["layer", "MyConv", "unknown="], []),
        (["layer", "MyConv", "gain:"], [f"gain:{name}" for name in TYPES]),
        (["layer", "MyConv", "gain:in"], ["gain:int", "gain:ints", "gain:initializer"]),
        (["layer", "MyConv", "gain:x"], []),
        (["layer", "MyConv", "1gain:in"], []),
        (["layer", "MyConv", "flag:bool="], ["flag:bool=true", "flag:bool=false"]),
        (["layer", "MyConv", "mode:enum(sum,mean)=m"], ["mode:enum(sum,mean)=mean"]),
        (["layer", "MyConv", "start:initializer=he"], [
            "start:initializer=he_normal", "start:initializer=he_uniform"]),
        (["layer", "MyConv", "gain:float="], []),
        (["layer", "MyConv", "gain:quux="], []),
        (["layer", "MyConv", "--template", ""], Catalog.builtin().names("layer")),
        (["layer", "MyConv", "--template", "proj"], ["projection"]),
        (["layer", "MyConv", "--on-conflict", "s"], ["skip"]),
        (["show", "proj"], ["projection"]),
        (["list", "mode"], ["model"]),
        (["list", "line"], ["linear"]),
        (["l"], ["layer", "list"]),
    ],
)  # fmt: skip
def test_completion(words: list[str], expected: list[str]) -> None:
    assert completed(*words) == expected


def test_completion_in_the_form_of_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMP_WORDS", "scaffold layer MyConv kernel_s")
    monkeypatch.setenv("COMP_CWORD", "3")
    shell = BashComplete(cli, {}, "scaffold", "_SCAFFOLD_COMPLETE")
    assert shell.complete() == "plain,kernel_size="


def test_templates_come_with_their_summaries() -> None:
    shell = ShellComplete(cli, {}, "scaffold", "_SCAFFOLD_COMPLETE")
    [item] = shell.get_completions(["show"], "dens")
    assert item.help == "Densely-connected layer over the last axis of the input."


def test_convert() -> None:
    param, given = AttributeParam(), Assignment("filters", "3", "filters=3")
    assert param.convert("filters=3", None, None) == given
    assert param.convert(given, None, None) is given
    with pytest.raises(UsageError):
        param.convert("filters", None, None)
    assert isinstance(param, click.ParamType)
