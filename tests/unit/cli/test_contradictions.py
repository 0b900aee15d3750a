"""Contradictions are refused, with an error that points at the user's input."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Scaffold


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ["MyConv", "strides=2", "dilation_rate=2"],
            "Error: `strides=2,2` and `dilation_rate=2,2` cannot both be above 1.\n"
            "Leave one of them at 1: `dilation_rate=1`.\n",
        ),
        (
            ["MyConv", "filters=9", "groups=2"],
            "Error: `groups=2` does not divide `filters=9`.\n" "Make `filters` a multiple of 2.\n",
        ),
        (
            ["MyConv", "--option", "rank=1", "--option", "rank=2"],
            "Error: option `rank` is given twice.\nRemove one of them.\n",
        ),
        (
            ["MyConv", "padding=same", "first:layer"],
            "Error: `first` is required, but follows `strides`, which has a default.\n"
            "Give it a default: `first:layer=None`.\n",
        ),
        (
            ["MyThing", "漢字:flaot=1"],
            "Error: unknown type `flaot`. Did you mean `float`?\n"
            "  漢字:flaot=1\n"
            "       ^^^^^\n",
        ),
    ],
    ids=["excludes", "divides", "option_twice", "required_layer", "wide_letters"],
)
def test_is_refused(scaffold: Scaffold, here: Path, words: list[str], error: str) -> None:
    outcome = scaffold("layer", *words)
    assert (outcome.code, outcome.out, outcome.err) == (2, "", error)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ["layer", "MyMoE", "--template=mixture_of_experts", "num_experts=2", "top_k=5"],
            "Error: `top_k=5` is greater than `num_experts=2`.\n"
            "Write `top_k=2` or less, or `num_experts=5` or more.\n",
        ),
        (
            ["model", "MyMobileNet", "filters=4,8", "num_blocks=1,1,1"],
            "Error: `filters=4,8` and `num_blocks=1,1,1` must have the same number of items.\n"
            "Write `num_blocks=1,1` `strides=1,2` `expansions=1,6`, for example.\n",
        ),
        (
            ["model", "MyResNet", "filters=4,8", "num_blocks=1"],
            "Error: `filters=4,8` and `num_blocks=1` must have the same number of items.\n"
            "Write `num_blocks=1,1`, for example.\n",
        ),
        (
            ["model", "MyGan", "image_shape=7,7,1"],
            "Error: height and width of `image_shape=7,7,1` must be multiples of 4, because "
            "`filters=128,64` halves them 2 times.\n"
            "Write `image_shape=8,8,1`, or give `filters` fewer items.\n",
        ),
        (
            ["layer", "MyConvTranspose", "strides=2", "output_padding=2"],
            "Error: `output_padding=2,2` is not less than `strides=2,2`.\n"
            "Write `output_padding=1,1`, or `strides=3,3`.\n",
        ),
        (
            ["layer", "MyNormalization", "--template=standardization", "mean=1.0"],
            "Error: `mean=1.0` is given without `variance`.\n"
            "Give `variance` as well, or leave both out.\n",
        ),
        (
            ["layer", "MyGroupNormalization", "groups=0"],
            "Error: `groups` is 0.\nWrite `groups=1`, for example.\n",
        ),
        (
            ["model", "MyViT", "--style=functional", "image_shape=28,28,1"],
            "Error: `patch_size=16` does not divide the height and width of "
            "`image_shape=28,28,1`.\n"
            "Write `patch_size=14`, for example.\n",
        ),
        (
            ["model", "MyViT", "hidden_dim=10"],
            "Error: `num_heads=3` does not divide `hidden_dim=10`.\n"
            "Make `hidden_dim` a multiple of 3.\n",
        ),
        (
            ["model", "MyCNN", "filters="],
            "Error: `filters` has no items.\nGive it at least one.\n",
        ),
    ],
)
def test_defaults_that_contradict_each_other(
    scaffold: Scaffold, here: Path, words: list[str], error: str
) -> None:
    outcome = scaffold(*words)
    assert (outcome.code, outcome.out, outcome.err) == (2, "", error)
    assert list(here.iterdir()) == []


def test_conflicts_are_relative_to_the_current_folder(
    scaffold: Scaffold, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "pyproject.toml").write_text("[tool.scaffold]\ninto = 'src'\n")
    scaffold("layer", "MyThing")
    (here / "deep").mkdir()
    monkeypatch.chdir(here / "deep")
    outcome = scaffold("layer", "MyThing", "gain:float=1.0")
    assert outcome.code == 3
    assert outcome.err.splitlines()[-2] == (
        "Error: ../src/my_thing.py, ../src/test_my_thing.py already exist with different content; "
        "nothing was written."
    )
