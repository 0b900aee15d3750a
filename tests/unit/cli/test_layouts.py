"""The printed next commands work in every layout of folders."""

from __future__ import annotations

import os
import shlex
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Outcome, Scaffold, Warm

Typed = Callable[..., subprocess.CompletedProcess[str]]

PYPROJECT = """\
[project]
name = "mine"

[tool.scaffold]
into = "src/mine/layers"
tests-into = "tests"
"""


def laid_out(root: Path, *files: str) -> None:
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PYPROJECT if path.name == "pyproject.toml" else "")


def next_line(outcome: Outcome) -> str:
    assert outcome.code == 0, outcome.err
    (line,) = [
        line.removeprefix("Next: ")
        for line in outcome.out.splitlines()
        if line.startswith("Next: ")
    ]
    return line


@pytest.fixture
def typed(warm: Warm, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command like a user who has pytest and python, without our own paths."""
    script = tmp_path / "bin/run_pytest.py"
    script.parent.mkdir()
    script.write_text("import sys, pytest; sys.exit(pytest.main())\n")
    python = warm("torch")

    def run(line: str, *more: str) -> subprocess.CompletedProcess[str]:
        line = line.replace("python -c", f"{shlex.quote(python)} -c")
        line = line.replace("pytest ", shlex.join([python, str(script)]) + " ", 1)
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        return subprocess.run(
            ["sh", "-c", " ".join([line, *more])],
            env={**environment, "KERAS_BACKEND": "torch"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


LAYOUTS = {
    "an empty folder": ((), ".", "."),
    "a folder beside": (("a/b.py",), ".", "a"),
    "a package, from its inside": (
        ("pkg/__init__.py", "pkg/layers/__init__.py"),
        "pkg/layers",
        ".",
    ),
    "a package, from above": (("pkg/__init__.py", "pkg/layers/__init__.py"), ".", "pkg/layers"),
    "a folder with a hyphen and an __init__.py": (("a-b/__init__.py",), ".", "a-b"),
    "a package in such a folder": (("a-b/__init__.py", "a-b/c/__init__.py"), "a-b/c", "."),
    "a src layout": (
        ("pyproject.toml", "src/mine/__init__.py", "src/mine/layers/__init__.py"),
        ".",
        "",
    ),
    "a src layout, from its inside": (
        ("pyproject.toml", "src/mine/__init__.py", "src/mine/layers/__init__.py"),
        "src/mine/layers",
        "",
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_next_line_finds_the_class(
    layout: str, scaffold: Scaffold, typed: Typed, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, folder, into = LAYOUTS[layout]
    laid_out(here, *files)
    monkeypatch.chdir(here / folder)
    words = ["--into", into] if into else []
    line = next_line(scaffold("layer", "MyDense", "units=3", *words))
    collected = typed(line, "--collect-only", "--quiet")
    assert collected.returncode == 0, (line, collected.stdout, collected.stderr)
    assert " tests collected" in collected.stdout
    line = next_line(scaffold("layer", "MyOther", "--no-tests", *words))
    found = typed(line)
    assert found.returncode == 0, (line, found.stderr)


@pytest.mark.parametrize("into", ["../plain", "../other/src/mine/layers"])
def test_the_next_line_finds_a_class_elsewhere(
    into: str, scaffold: Scaffold, typed: Typed, here: Path
) -> None:
    (here.parent / "plain").mkdir()
    laid_out(here.parent / "other", "pyproject.toml", "src/mine/__init__.py")
    line = next_line(scaffold("layer", "MyDense", "units=3", "--into", into))
    collected = typed(line, "--collect-only", "--quiet")
    assert collected.returncode == 0, (line, collected.stdout, collected.stderr)
    line = next_line(scaffold("layer", "MyOther", "--no-tests", "--into", into))
    found = typed(line)
    assert found.returncode == 0, (line, found.stderr)


@pytest.mark.parametrize("folder", ["a-b", "pkg", "plain"])
def test_a_composed_model_imports_a_layer_by_the_name_that_its_test_has(
    folder: str, scaffold: Scaffold, typed: Typed, here: Path
) -> None:
    laid_out(here, "a-b/__init__.py", "pkg/__init__.py", "plain/readme.txt")
    assert scaffold("layer", "MyConv", "filters=4", "kernel_size=3", "--into", folder).code == 0
    uses = [f"--layer={folder}/my_conv.py:MyConv:filters=4:kernel_size=3", "--layer=Flatten"]
    line = next_line(scaffold("model", "MyNet", *uses, "--into", folder))
    collected = typed(line, "--collect-only", "--quiet")
    assert collected.returncode == 0, (line, collected.stdout, collected.stderr)


def test_a_spec_names_files_from_its_own_folder(
    scaffold: Scaffold, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out(here, "pyproject.toml", "b/readme.txt")
    into = ["--into", "a"]
    assert scaffold("layer", "MyConv", "filters=4", "kernel_size=3", *into).code == 0
    uses = ["--layer=a/my_conv.py:MyConv:filters=4:kernel_size=3", "--layer=Flatten"]
    spec = ["--save-spec", "a/net.toml"]
    first = scaffold("model", "MyNet", *uses, *into, *spec)
    assert first.code == 0, first.err
    saved = tomllib.loads((here / "a/net.toml").read_text())
    assert saved["layers"][0]["layer"] == "my_conv.py:MyConv"
    model = (here / "a/my_net.py").read_bytes()
    monkeypatch.chdir(here / "b")
    again = scaffold("model", "--from", "../a/net.toml", "--into", "../a")
    assert again.code == 0, again.err
    assert (here / "a/my_net.py").read_bytes() == model
