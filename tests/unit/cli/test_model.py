from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import SAYS_NOTHING
from conftest import Scaffold, tree

Refused = Callable[..., tuple[int, str]]


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def test_from_a_name_to_three_files(scaffold: Scaffold, here: Path) -> None:
    outcome = scaffold("model", "Whatever")
    files = ["whatever.py", "test_whatever.py", "train_whatever.py"]
    assert list(tree(here)) == sorted(files)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        f"Whatever: template mlp style=subclass head=classification ({SAYS_NOTHING})\n"
        "registered as project>Whatever\n"
        + "".join(f"   create  {file:<17}  {lines(here / file):>4} lines\n" for file in files)
        + "Next: pytest test_whatever.py\n"
        "Then: python train_whatever.py\n"
    )


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (["--no-training"], ["my_mlp.py", "test_my_mlp.py"]),
        (["--no-tests"], ["my_mlp.py", "train_my_mlp.py"]),
        (["--no-tests", "--no-training"], ["my_mlp.py"]),
        (["--dry-run"], []),
        (["--diff"], []),
    ],
)
def test_what_is_written(
    scaffold: Scaffold, here: Path, words: list[str], files: list[str]
) -> None:
    assert scaffold("model", "MyMLP", *words).code == 0
    assert list(tree(here)) == sorted(files)


def test_style_and_head_are_options(scaffold: Scaffold, here: Path) -> None:
    assert scaffold("model", "MyMLP", "--style=sequential", "--head=regression").code == 0
    short = tree(here)
    words = ("--option=style=sequential", "-o", "head=regression", "--on-conflict=fail")
    outcome = scaffold("model", "MyMLP", *words)
    assert outcome.code == 0
    assert tree(here) == short
    source = (here / "my_mlp.py").read_text("utf-8")
    assert "class MyMLP(keras.Sequential):" in source.splitlines()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--style=loop"],
            "option `style=loop`: it must be one of subclass, functional, sequential.",
        ),
        (["--head=hed"], "option `head=hed`: it must be one of classification, regression, "),
        (["--style=subclass", "-o", "style=functional"], "option `style` is given twice."),
        (["--layer=Dense:units=3"], "the template `mlp` has its own layers."),
        (["--loss=hubr"], "`hubr` not found in `keras.losses`. Did you mean `huber`?"),
        (["inner:layer=None"], "the template `mlp` can't contain another layer."),
    ],
)
def test_refuses(refused: Refused, words: list[str], said: str) -> None:
    code, err = refused("model", "MyMLP", "--template=mlp", *words)
    assert code == 2
    assert err.removeprefix("Error: ").startswith(said)


def test_json(scaffold: Scaffold, here: Path) -> None:
    answer = scaffold("model", "MyMLP", "--json").answer()
    assert answer["command"] == "model"
    result = answer["result"]
    assert [change["path"] for change in result["changes"]] == [
        "my_mlp.py",
        "test_my_mlp.py",
        "train_my_mlp.py",
    ]
    assert result["training"] == "python train_my_mlp.py"
    assert (
        scaffold("model", "Other", "--json", "--no-training").answer()["result"]["training"] == ""
    )


def test_composed_with_generated_layers(scaffold: Scaffold, here: Path) -> None:
    words = ("--layer=conv:filters=8:kernel_size=3", "--layer=Flatten", "--layer=Dense:units=10")
    outcome = scaffold("model", "MyNet", *words, "--save-spec=net.toml")
    assert (outcome.code, outcome.err) == (0, "")
    files = tree(here)
    assert list(files) == [
        "my_net.py",
        "my_net_conv.py",
        "net.toml",
        "test_my_net.py",
        "test_my_net_conv.py",
        "train_my_net.py",
    ]
    assert scaffold("model", "--from=net.toml").out.count("unchanged") == 5
    assert tree(here) == files


def test_a_branch_is_not_a_sequence(refused: Refused, here: Path) -> None:
    (here / "net.toml").write_text(
        'version = 1\ntarget = "model"\nname = "MyNet"\n'
        '[[layers]]\nresidual = [{ layer = "ReLU" }]\n'
    )
    code, err = refused("model", "--from=net.toml", "--style=sequential")
    assert (code, err) == (
        2,
        "Error: a model with branches, or with a layer of several inputs, can't be sequential.\n"
        "Use `--style functional`.\n",
    )


def test_in_a_package_the_script_goes_where_it_can_import(scaffold: Scaffold, here: Path) -> None:
    package = here / "pkg" / "models"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    outcome = scaffold("model", "MyMLP", "--into=pkg/models", "--tests-into=tests")
    assert outcome.out.splitlines()[-1] == "Then: python train_my_mlp.py"
    script = (here / "train_my_mlp.py").read_text("utf-8")
    assert "from pkg.models.my_mlp import MyMLP" in script.splitlines()


def test_a_spec_for_a_layer(refused: Refused, here: Path) -> None:
    (here / "spec.toml").write_text("version = 1\n")
    assert refused("model", "MyMLP", "--from=spec.toml") == (
        2,
        "Error: the spec is for a layer, not a model.\n"
        'Use `scaffold layer`, or write `target = "model"`.\n',
    )
