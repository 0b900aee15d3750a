from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import scaffold

ROOT = Path(scaffold.__file__).parent.parent
BACKENDS = {"keras", "tensorflow", "jax", "torch", "numpy"}
HEAVY = {"jinja2", "black", "cookiecutter", "libcst", "rich", "tomli_w", *BACKENDS}
SOME = BACKENDS | {"cookiecutter", "libcst", "rich"}
SCRIPT = """\
import json, sys
from scaffold.cli import main
try:
    main(sys.argv[2:])
except SystemExit as left:
    code = left.code
with open(sys.argv[1], "w") as file:
    json.dump([code, sorted(name.partition(".")[0] for name in sys.modules)], file)
"""


def imported(folder: Path, *words: str) -> tuple[int, set[str]]:
    """Run in a fresh process; return the exit code, and all imported modules."""
    report = folder / "report.json"
    subprocess.run(
        [sys.executable, "-c", SCRIPT, str(report), *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    code, modules = json.loads(report.read_text())
    return code, set(modules)


@pytest.mark.parametrize(
    ("words", "expected", "never"),
    [
        (["--help"], 0, HEAVY),
        (["--help", "--json"], 0, HEAVY),
        (["--version"], 0, HEAVY),
        (["--version", "--json"], 0, HEAVY),
        (["layer", "--help"], 0, HEAVY),
        (["list"], 0, HEAVY),
        (["list", "--json"], 0, HEAVY),
        (["lyer"], 2, HEAVY),
        (["layer"], 2, HEAVY),
        (["layer", "MyConv", "filters:int"], 2, HEAVY),
        (["layer", "MyConv", "--interactive"], 2, HEAVY),
        (["check", "--help"], 0, HEAVY),
        (["check"], 2, HEAVY),
        (["check", "my_conv.py", "--only", "nothing"], 2, HEAVY),
        (["check", "--list"], 0, HEAVY),
        (["check", "--list", "--json"], 0, HEAVY),
        (["check", "--explain", "config-complete"], 0, HEAVY),
        (["check", "my_conv.py", "--tag", "nothing"], 2, HEAVY),
        (["project", "--help"], 0, HEAVY),
        (["project"], 2, HEAVY),
        (["project", "my_project", "bakend=jax"], 2, HEAVY),
        (["show", "conv"], 0, SOME),
        (["layer", "MyConv", "filters=8"], 0, SOME),
        (["layer", "MyConv", "--save-spec", "spec.toml", "--json"], 0, SOME),
    ],
)
def test_imports(tmp_path: Path, words: list[str], expected: int, never: set[str]) -> None:
    code, modules = imported(tmp_path, *words)
    assert code == expected
    assert "click" in modules
    assert modules & never == set()


def test_the_imports_of_a_layer_are_seen(tmp_path: Path) -> None:
    _, modules = imported(tmp_path, "layer", "MyConv")
    assert modules & HEAVY == {"jinja2", "black"}


def test_the_imports_of_a_project_are_seen(tmp_path: Path) -> None:
    _, modules = imported(tmp_path, "project", "my_project")
    assert modules & HEAVY == {"jinja2", "cookiecutter", "rich"}


def test_version_of_the_importtime_report(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "scaffold", "--version"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "scaffold.cli" in modules
    assert {name.partition(".")[0] for name in modules} & HEAVY == set()
    assert {name for name in modules if name.startswith("scaffold.")} == {
        "scaffold.cli",
        "scaffold.cli.command",
        "scaffold.__main__",
        "scaffold.version",
    } & modules
