"""What can't go together is refused, and said in the place and the words of the person."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Scaffold


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ["MyConv", "strides=2", "dilation_rate=2"],
            "Error: `strides` and `dilation_rate` cannot both go over 1.\n"
            "Leave one of them at 1: `dilation_rate=1`.\n",
        ),
        (
            ["MyConv", "filters=9", "groups=2"],
            "Error: `groups=2` does not divide `filters=9`.\n" "Make `filters` a multiple of 2.\n",
        ),
        (
            ["MyConv", "--option", "rank=1", "--option", "rank=2"],
            "Error: option `rank` is given twice.\nLeave one of them out.\n",
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


def test_a_conflict_is_named_from_where_one_stands(
    scaffold: Scaffold, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "pyproject.toml").write_text("[tool.scaffold]\ninto = 'src'\n")
    scaffold("layer", "MyThing")
    (here / "deep").mkdir()
    monkeypatch.chdir(here / "deep")
    outcome = scaffold("layer", "MyThing", "gain:float=1.0")
    assert outcome.code == 3
    assert outcome.err.splitlines()[-2] == (
        "Error: ../src/my_thing.py, ../src/test_my_thing.py are there already and differ; "
        "nothing was written."
    )
