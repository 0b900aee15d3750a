"""In a project, files go where they belong, and the package exports the new classes."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Scaffold, tree

Refused = Callable[..., tuple[int, str]]
PYPROJECT = """\
[build-system]
requires = ["hatchling"]

[project]
name = "my-lib"

[tool.scaffold]
into = "src/my_lib/layers"
models-into = "src/my_lib/models"
tests-into = "tests"
scripts-into = "scripts"

[tool.pytest.ini_options]
pythonpath = ["src"]
"""
COMPUTED = '__all__ = ["A"]\n__all__ += ["B"]\n'
COMPOSED = ("--layer=conv:filters=8:kernel_size=3", "--layer=Flatten", "--layer=Dense:units=10")


@pytest.fixture
def layers(here: Path) -> Path:
    """The `__init__.py` of the layers package, in a project that also has a models package."""
    (here / "pyproject.toml").write_text(PYPROJECT)
    for folder in ("src/my_lib", "src/my_lib/layers", "src/my_lib/models"):
        (here / folder).mkdir(parents=True)
        (here / folder / "__init__.py").write_text("")
    return here / "src/my_lib/layers/__init__.py"


def rows(out: str) -> list[tuple[str, ...]]:
    """Return the rows of the output: action, path and, as a word, the number of lines."""
    return [
        tuple(re.sub(r" +\d+ lines$", "", line).split())
        for line in out.splitlines()
        if line.endswith((" lines", " differs"))
    ]


def offers(init: Path, name: str) -> bool:
    """Return whether a class can be imported from the package itself, without Keras."""
    script = f"from {'.'.join(init.parts[-3:-1])} import {name}; print({name}.__module__)"
    for module in init.parent.glob("*.py"):
        if module != init:
            classes = re.findall(r"^class (\w+)", module.read_text("utf-8"), re.MULTILINE)
            module.write_text("".join(f"class {one}: pass\n" for one in classes))
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=init.parents[2], capture_output=True, text=True, check=True)
    return done.stdout.startswith(".".join(init.parts[-3:-1]))


def test_a_layer(scaffold: Scaffold, layers: Path) -> None:
    outcome = scaffold("layer", "MyConv")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[1] == "registered as my_lib>MyConv"
    assert rows(outcome.out) == [
        ("create", "src/my_lib/layers/my_conv.py"),
        ("create", "tests/test_my_conv.py"),
        ("edit", "src/my_lib/layers/__init__.py"),
    ]
    assert outcome.out.splitlines()[-2:] == [
        "Next: pytest tests/test_my_conv.py",
        "Or derive from keras.layers.Conv2D: "
        "scaffold layer MyConv --base keras.layers.Conv2D --on-conflict overwrite",
    ]
    assert layers.read_text() == (
        'from my_lib.layers.my_conv import MyConv\n\n__all__ = ["MyConv"]\n'
    )
    scaffold("layer", "MyAttention")
    assert layers.read_text() == (
        "from my_lib.layers.my_attention import MyAttention\n"
        "from my_lib.layers.my_conv import MyConv\n\n"
        '__all__ = ["MyAttention", "MyConv"]\n'
    )
    assert offers(layers, "MyConv")


def test_twice(scaffold: Scaffold, here: Path, layers: Path) -> None:
    scaffold("layer", "MyConv")
    before = tree(here)
    outcome = scaffold("layer", "MyConv")
    assert tree(here) == before
    assert [action for action, _ in rows(outcome.out)] == ["unchanged"] * 3


def test_a_model(scaffold: Scaffold, here: Path, layers: Path) -> None:
    outcome = scaffold("model", "MyNet", *COMPOSED)
    assert rows(outcome.out) == [
        ("create", "src/my_lib/models/my_net.py"),
        ("create", "tests/test_my_net.py"),
        ("create", "scripts/train_my_net.py"),
        ("create", "src/my_lib/models/my_net_conv.py"),
        ("create", "tests/test_my_net_conv.py"),
        ("edit", "src/my_lib/models/__init__.py"),
    ]
    assert outcome.out.splitlines()[-1] == "Then: python scripts/train_my_net.py"
    script = (here / "scripts/train_my_net.py").read_text("utf-8")
    assert "from my_lib.models.my_net import MyNet" in script.splitlines()
    models = here / "src/my_lib/models/__init__.py"
    assert models.read_text() == (
        "from my_lib.models.my_net import MyNet\n"
        "from my_lib.models.my_net_conv import MyNetConv\n\n"
        '__all__ = ["MyNet", "MyNetConv"]\n'
    )
    assert layers.read_text() == ""
    assert offers(models, "MyNetConv")


def test_without_its_own_folder_a_model_goes_where_layers_go(
    scaffold: Scaffold, here: Path, layers: Path
) -> None:
    text = re.sub("(models|scripts)-into.*\n", "", PYPROJECT)
    (here / "pyproject.toml").write_text(text)
    outcome = scaffold("model", "MyMLP")
    assert [path for _, path in rows(outcome.out)] == [
        "src/my_lib/layers/my_mlp.py",
        "tests/test_my_mlp.py",
        "src/train_my_mlp.py",
        "src/my_lib/layers/__init__.py",
    ]
    assert outcome.out.splitlines()[-1] == "Then: python src/train_my_mlp.py"


def test_a_script_of_a_project_that_is_not_installed(
    scaffold: Scaffold, here: Path, layers: Path
) -> None:
    text = PYPROJECT.partition("\n\n")[2]
    (here / "pyproject.toml").write_text(text)
    outcome = scaffold("model", "MyMLP", "--json")
    assert outcome.answer()["result"]["training"] == (
        "PYTHONPATH=src python scripts/train_my_mlp.py"
    )


def test_flags_override_the_folders(scaffold: Scaffold, layers: Path) -> None:
    outcome = scaffold("model", "MyMLP", "--into=src/my_lib/layers", "--no-tests", "--no-training")
    assert rows(outcome.out) == [
        ("create", "src/my_lib/layers/my_mlp.py"),
        ("edit", "src/my_lib/layers/__init__.py"),
    ]


@pytest.mark.parametrize("key", ["models-into", "scripts-into"])
def test_folders_that_lead_out(refused: Refused, here: Path, key: str) -> None:
    (here / "pyproject.toml").write_text(f'[tool.scaffold]\n{key} = "../elsewhere"\n')
    code, said = refused("model", "MyMLP")
    assert code == 4
    assert said.splitlines()[0] == f"Error: {here}/../elsewhere is outside {here}."


# What would be written.


def test_dry_run(harmless: Scaffold, layers: Path) -> None:
    outcome = harmless("layer", "MyConv", "--dry-run")
    assert rows(outcome.out)[-1] == ("edit", "src/my_lib/layers/__init__.py")


def test_diff_and_json(harmless: Scaffold, scaffold: Scaffold, layers: Path) -> None:
    layers.write_text('"""Layers."""\n')
    shown = harmless("layer", "MyConv", "--diff").out
    assert shown.endswith(
        "--- a/src/my_lib/layers/__init__.py\n+++ b/src/my_lib/layers/__init__.py\n"
        '@@ -1 +1,5 @@\n """Layers."""\n+\n+from my_lib.layers.my_conv import MyConv\n+\n'
        '+__all__ = ["MyConv"]\n'
    )
    changes = harmless("layer", "MyConv", "--dry-run", "--json").answer()["result"]["changes"]
    assert [change["action"] for change in changes] == ["create", "create", "edit"]
    assert changes[-1]["path"] == "src/my_lib/layers/__init__.py"
    assert scaffold("layer", "MyConv").code == 0
    assert changes[-1]["content"] == layers.read_text()
    changes = scaffold("layer", "MyConv", "--json").answer()["result"]["changes"]
    assert [change["action"] for change in changes] == ["keep"] * 3


# When the package exports nothing more.


def test_no_export(scaffold: Scaffold, here: Path, layers: Path) -> None:
    layers.write_text(COMPUTED)
    outcome = scaffold("layer", "MyConv", "--no-export")
    assert len(rows(outcome.out)) == 2
    assert layers.read_text() == COMPUTED


def test_without_a_table_of_settings(scaffold: Scaffold, here: Path, layers: Path) -> None:
    (here / "pyproject.toml").write_text("[project]\nname = 'my-lib'\n")
    outcome = scaffold("layer", "MyConv", "--into=src/my_lib/layers")
    assert [path for _, path in rows(outcome.out)] == [
        "src/my_lib/layers/my_conv.py",
        "src/my_lib/layers/test_my_conv.py",
    ]
    assert layers.read_text() == ""


@pytest.mark.parametrize("folder", ["plain", "no-name"])
def test_a_folder_that_is_not_a_package(scaffold: Scaffold, layers: Path, folder: str) -> None:
    into = layers.parents[2] / folder
    into.mkdir()
    if folder == "no-name":
        (into / "__init__.py").write_text("")
    outcome = scaffold("layer", "MyConv", f"--into=src/{folder}")
    assert [path for _, path in rows(outcome.out)] == [
        f"src/{folder}/my_conv.py",
        "tests/test_my_conv.py",
    ]


# Conflicts.


@pytest.mark.parametrize("on_conflict", ["fail", "skip", "overwrite", "new"])
def test_an_edit_is_not_a_conflict(scaffold: Scaffold, layers: Path, on_conflict: str) -> None:
    layers.write_text('"""Mine."""\n')
    outcome = scaffold("layer", "MyConv", "--on-conflict", on_conflict)
    assert rows(outcome.out)[-1] == ("edit", "src/my_lib/layers/__init__.py")
    assert '"MyConv"' in layers.read_text()


def test_a_conflict_comes_first(refused: Refused, here: Path, layers: Path) -> None:
    layers.write_text(COMPUTED)
    (layers.parent / "my_conv.py").write_text("")
    code, said = refused("layer", "MyConv")
    assert code == 3
    assert said.splitlines()[-2] == (
        "Error: src/my_lib/layers/my_conv.py already exists with different content; "
        "nothing was written."
    )


@pytest.mark.parametrize("on_conflict", ["skip", "new"])
@pytest.mark.parametrize(
    ("kept", "is_offered"), [("class MyConv:\n    pass\n", True), ("class MyConv2:\n", False)]
)
def test_a_missing_class_is_not_exported(
    scaffold: Scaffold, layers: Path, on_conflict: str, kept: str, is_offered: bool
) -> None:
    (layers.parent / "my_conv.py").write_text(kept)
    outcome = scaffold("layer", "MyConv", "--on-conflict", on_conflict)
    assert outcome.code == 0
    assert (layers.read_text() != "") == is_offered
    assert (layers.parent / "my_conv.py").read_text() == kept


# Refusals.

FIX = (
    "Use --no-export and add `from my_lib.layers.my_conv import MyConv` "
    'and "MyConv" to its `__all__` by hand.'
)
MESSAGE = (
    "can't edit src/my_lib/layers/__init__.py: its `__all__` is not a plain list of names "
    "(line 2); nothing was written."
)


@pytest.mark.parametrize("flags", [[], ["--dry-run"], ["--diff"], ["--on-conflict=overwrite"]])
def test_refused(refused: Refused, layers: Path, flags: list[str]) -> None:
    layers.write_text(COMPUTED)
    assert refused("layer", "MyConv", *flags) == (3, f"Error: {MESSAGE}\n{FIX}\n")


def test_refused_as_json(harmless: Scaffold, layers: Path) -> None:
    layers.write_text(COMPUTED)
    outcome = harmless("layer", "MyConv", "--json")
    assert outcome.code == 3
    assert outcome.answer()["error"] == {
        "kind": "conflict",
        "exit_code": 3,
        "message": MESSAGE,
        "fix": FIX,
        "place": None,
        "suggestions": [],
    }


def test_refused_and_done_by_hand(scaffold: Scaffold, layers: Path) -> None:
    layers.write_text(COMPUTED)
    scaffold("layer", "MyConv", "--no-export")
    by_hand = f'from my_lib.layers.my_conv import MyConv\n\n{COMPUTED}__all__ += ["MyConv"]\n'
    layers.write_text(by_hand)
    outcome = scaffold("layer", "MyConv")
    assert [action for action, _ in rows(outcome.out)] == ["unchanged"] * 3
    assert layers.read_text() == by_hand


def test_all_layers_of_a_model_are_named(refused: Refused, here: Path, layers: Path) -> None:
    (here / "src/my_lib/models/__init__.py").write_bytes(b"\xff")
    code, said = refused("model", "MyNet", *COMPOSED)
    assert (code, said) == (
        3,
        "Error: can't edit src/my_lib/models/__init__.py: it is not UTF-8; "
        "nothing was written.\nUse --no-export and add "
        "`from my_lib.models.my_net import MyNet`, "
        "`from my_lib.models.my_net_conv import MyNetConv` by hand.\n",
    )


def test_an_init_that_leads_out(refused: Refused, here: Path, layers: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("")
    layers.unlink()
    layers.symlink_to(tmp_path / "secret.py")
    code, said = refused("layer", "MyConv")
    assert code == 4
    assert said.splitlines()[0] == f"Error: {layers} is outside {here}."
