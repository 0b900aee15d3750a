"""The wheel generates with only its requirements installed, without a backend."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from goldens import COMMANDS, GOLDENS, read
from scaffold.project import load_questions, render_project, with_defaults
from tools.installed import COMMAND, build_wheel, install

ROOT = Path(__file__).parents[2]
INSTALLED = """\
import json
from importlib.metadata import distributions
print(json.dumps([one.name.lower() for one in distributions()]))
"""
# Everything that is read, in words.
TRACED = """\
import jinja2, scaffold.generation.catalog as catalog
from scaffold.cli import entry
compile, load = jinja2.Environment.compile, catalog.load
def compiled(self, source, name=None, *rest):
    print("compiled", name)
    return compile(self, source, name, *rest)
def loaded(folder):
    print("read", folder.name)
    return load(folder)
jinja2.Environment.compile, catalog.load = compiled, loaded
entry()
"""

USE = """\
import scaffold

project = scaffold.Project(".")
plan = project.plan(scaffold.layer("MyConv", "filters=32", options={"rank": 2}))
print(plan.diff(), plan.files, plan.next)
project.commit(plan)
names: list[str] = [one.name for one in scaffold.templates("layer")]
outcomes = scaffold.check("my_conv.py:MyConv", backend="jax")
reveal_type(plan)
reveal_type(outcomes)
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel and its requirements."""
    folder = tmp_path_factory.mktemp("wheel")
    return install(build_wheel(folder / "dist"), folder / "installed")


def run(python: Path, folder: Path, *words: str) -> str:
    done = subprocess.run(
        [python, *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_only_the_requirements_are_installed(python: Path, tmp_path: Path) -> None:
    names = set(json.loads(run(python, tmp_path, "-I", "-c", INSTALLED)))
    assert {"black", "click", "jinja2", "keras-scaffold"} <= names
    assert not names & {"keras", "tensorflow", "jax", "torch", "numpy"}


def test_generates_in_an_empty_environment(python: Path, tmp_path: Path) -> None:
    for words in (["layer", "MyConv", "filters=3"], ["project", "my_project"]):
        run(python, tmp_path, *COMMAND, *words)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["my_conv.py", "my_project", "test_my_conv.py"]
    folder = ROOT / "templates/project"
    questions = load_questions(folder)
    files = render_project(folder, with_defaults(questions, {"project": "my_project"}))
    assert tree_of_files(tmp_path / "my_project") == {
        str(path): data for path, data in files.items()
    }


def test_compiles_nothing_and_reads_one_manifest(python: Path, tmp_path: Path) -> None:
    name = "conv2d_transpose"
    words = [*COMMANDS[name], "--package=golden"]
    lines = run(python, tmp_path, "-I", "-c", TRACED, *words).splitlines()
    assert [line for line in lines if line.startswith("compiled ")] == []
    assert [line for line in lines if line.startswith("read ")] == ["read conv_transpose"]
    assert read(tmp_path) == read(GOLDENS / name)


def tree_of_files(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_is_typed(python: Path, tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(USE)
    strictly = ["-m", "mypy", "--strict", f"--python-executable={python}", "use.py"]
    assert run(Path(sys.executable), tmp_path, *strictly) == (
        'use.py:9: note: Revealed type is "scaffold.planning.Plan"\n'
        'use.py:10: note: Revealed type is "list[scaffold.conformance.finding.Outcome]"\n'
        "Success: no issues found in 1 source file\n"
    )
