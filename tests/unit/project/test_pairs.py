"""Each pair of answers gives files that pass the tools, a wheel, and valid workflows."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from allpairspy import AllPairs

from command_line import ROOT
from conftest import Scaffold
from scaffold.project import load_questions

QUESTIONS = load_questions(ROOT / "templates/project")
CHOICES = {question.key: [*question.choices] for question in QUESTIONS if question.choices}
PAIRS = [dict(zip(CHOICES, values, strict=True)) for values in AllPairs([*CHOICES.values()])]
# The shortest and the longest name: lines must wrap the same way with both.
NAMES = ("n", "a_name_of_thirty_letters_or_so")
FIRST_LINES = {
    "Apache-2.0": "                                 Apache License",
    "MIT": "MIT License",
    "BSD-3-Clause": "BSD 3-Clause License",
    "Proprietary": "Copyright (c) The authors. All rights reserved.",
}


@pytest.mark.parametrize("answers", PAIRS, ids=lambda answers: "-".join(answers.values()))
@pytest.mark.parametrize("name", NAMES)
def test_a_project_passes_the_tools(
    scaffold: Scaffold, here: Path, name: str, answers: Mapping[str, str]
) -> None:
    words = [f"{key}={value}" for key, value in answers.items()]
    assert scaffold("project", name, *words, "--no-input").code == 0
    folder = here / name
    ran(folder, "black", "--check", ".")
    ran(folder, "ruff", "check", "--no-cache", ".")
    workflows = sorted(path.name for path in (folder / ".github/workflows").iterdir())
    assert workflows == (["gpu.yml", "tests.yml"] if answers["ci"] == "both" else ["tests.yml"])
    ran(folder / ".github/workflows", "check_jsonschema", "--builtin-schema",
        "vendor.github-workflows", *workflows)  # fmt: skip
    docker = {"both": ["Dockerfile", "Dockerfile.gpu"], "cpu": ["Dockerfile"], "none": []}
    assert sorted(path.name for path in folder.glob("Dockerfile*")) == docker[answers["docker"]]
    assert (folder / ".dockerignore").exists() == (answers["docker"] != "none")
    assert FIRST_LINES[answers["license"]] in (folder / "LICENSE").read_text("utf-8").splitlines()
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".yml":
            text = path.read_text("utf-8")
            assert not any(mark in text for mark in ("{{", "{%", "%}", "cookiecutter")), path


def test_a_description_in_another_script(scaffold: Scaffold, here: Path) -> None:
    description = "It\u2019s \u2013 a \u201cnet\u201d\uff1a " + "图 " * 23 + "真的"
    words = ("project", "net", f"description={description}", "--no-input")
    assert scaffold(*words).code == 0
    assert scaffold(*words[:2], f"description={description}图", "--no-input").code == 2
    ran(here / "net", "black", "--check", ".")
    ran(here / "net", "ruff", "check", "--no-cache", ".")


@pytest.mark.parametrize("backend", CHOICES["backend"])
def test_a_wheel(scaffold: Scaffold, here: Path, backend: str) -> None:
    assert scaffold("project", "My-Net", f"backend={backend}", "--no-input").code == 0
    ran(here / "My-Net", "hatchling", "build", "-d", "dist")
    (wheel,) = (here / "My-Net/dist").glob("*.whl")
    (source,) = (here / "My-Net/dist").glob("*.tar.gz")
    with tarfile.open(source) as contents:
        names = {*contents.getnames()}
    assert {"my_net-0.1.0/src/my_net/cli.py", "my_net-0.1.0/config.toml"} < names
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (name for name in names if name.endswith("/METADATA"))
        about = archive.read(metadata).decode("utf-8")
        scripts = archive.read(metadata.replace("METADATA", "entry_points.txt")).decode("utf-8")
    assert {"my_net/cli.py", "my_net/layers/squeeze_excite.py"} < names
    assert {"Name: My-Net", "License-Expression: Apache-2.0"} < {*about.splitlines()}
    assert scripts == "[console_scripts]\nMy-Net = my_net.cli:main\n"


@pytest.mark.parametrize("backend", CHOICES["backend"])
def test_only_the_backend_that_was_chosen(scaffold: Scaffold, here: Path, backend: str) -> None:
    assert scaffold("project", "net", f"backend={backend}", "--no-input").code == 0
    needs = tomllib.loads((here / "net/pyproject.toml").read_text("utf-8"))["project"]
    packages = {word.split(">")[0] for word in needs["dependencies"]}
    assert packages & {*CHOICES["backend"]} == {backend}
    others = tuple(f"import {other}" for other in {*CHOICES["backend"]} - {backend})
    for path in (here / "net").rglob("*.py"):
        assert not any(line.startswith(others) for line in path.read_text("utf-8").splitlines())


def ran(folder: Path, module: str, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
