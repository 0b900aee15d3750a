"""Plain cookiecutter generates the same files from the template, byte for byte."""

from __future__ import annotations

import ast
import json
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Set
from itertools import chain
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from ruamel.yaml import YAML

from command_line import ENVIRONMENT, ROOT, process
from conftest import Scaffold, tree
from scaffold.errors import ScaffoldError, UsageError
from scaffold.project import load_questions, render_project, take_given, with_defaults
from scaffold.project.names import check_package, check_project
from scaffold.project.questions import Given

TEMPLATE = ROOT / "templates/project"
QUESTIONS = load_questions(TEMPLATE)
KEYS = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))
ANSWERS = [
    {"project": "my_project"},
    {"project": "My-Net", "backend": "jax", "license": "MIT", "docker": "cpu", "ci": "cpu"},
    {"project": "net", "package": "other_2", "backend": "torch", "license": "BSD-3-Clause",
     "docker": "none", "ci": "both"},
    {"project": "n.net", "package": "n_net", "license": "Proprietary", "docker": "none",
     "ci": "cpu", "author": "Zoë O'Hara & Søn <zoe@example.org>",
     "description": "Größe, 100 % of {it}: `x` # $HOME <b> 'y'"},
]  # fmt: skip


def content(folder: Path) -> Mapping[str, tuple[bool, bytes]]:
    """Return everything in a folder, by name: whether it is executable, and its bytes."""
    return {
        name: (not stat.S_ISDIR(mode) and bool(mode & 0o111), data)
        for name, (mode, data) in tree(folder).items()
    }


def cookiecutter(source: str, folder: Path, answers: Mapping[str, str]) -> None:
    """Run cookiecutter like a user, in `folder`, with a temporary home."""
    home = folder.parent / "home"
    home.mkdir()
    words = [f"{key}={value}" for key, value in answers.items()]
    done = subprocess.run(
        [sys.executable, "-m", "cookiecutter", source, "--directory", "templates/project",
         "--no-input", *words],
        cwd=folder, env=ENVIRONMENT | {"HOME": str(home)}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("answers", ANSWERS, ids=lambda answers: answers["project"])
def test_the_same_as_plain_cookiecutter(
    scaffold: Scaffold, here: Path, tmp_path: Path, answers: dict[str, str]
) -> None:
    name, *others = (f"{key}={value}" for key, value in answers.items())
    assert scaffold("project", name.partition("=")[2], *others, "--no-input").err == ""
    plain = tmp_path / "plain"
    plain.mkdir()
    cookiecutter(str(ROOT), plain, answers)
    assert content(here) == content(plain)


def test_the_same_from_a_url(scaffold: Scaffold, here: Path, tmp_path: Path) -> None:
    repository = tmp_path / "repository.git"
    shutil.copytree(TEMPLATE, repository / "templates/project")
    shutil.copyfile(ROOT / ".gitattributes", repository / ".gitattributes")
    git = ["git", "-C", str(repository), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init"], ["add", "--all", "."], ["commit", "--message=x"]):
        subprocess.run([*git, *words], capture_output=True, check=True)
    plain = tmp_path / "plain"
    plain.mkdir()
    cookiecutter(repository.as_uri(), plain, {"project": "my_project"})
    assert scaffold("project", "my_project").code == 0
    assert content(here) == content(plain)


def test_nothing_of_the_home_is_read_or_written(tmp_path: Path) -> None:
    for folder in ("home", "temporary", "here"):
        (tmp_path / folder).mkdir()
    home, temporary, here = (tmp_path / name for name in ("home", "temporary", "here"))
    (home / ".cookiecutterrc").write_text("default_context:\n  description: other\n")
    before = tree(home)
    done = process(
        "project", "my_project",
        folder=here,
        env=ENVIRONMENT | {"HOME": str(home), "TMPDIR": str(temporary),
                           "COOKIECUTTER_CONFIG": str(home / "none.yaml")},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert (tree(home), tree(temporary)) == (before, {})
    rendered = render_project(TEMPLATE, with_defaults(QUESTIONS, {"project": "my_project"}))
    assert rendered == {
        PurePosixPath(path.relative_to(here / "my_project")): path.read_bytes()
        for path in here.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_the_name_of_a_dependency_is_refused(backend: str) -> None:
    answers = with_defaults(QUESTIONS, {"project": "my_project", "backend": backend})
    files = render_project(TEMPLATE, answers)
    project = tomllib.loads(files[PurePosixPath("pyproject.toml")].decode("utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    needed = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    names = {Requirement(text).name for text in chain(needed, *extras)} - {"my_project"}
    taken = {one.key: one.taken for one in QUESTIONS}
    assert {name for name in names if accepted(check_project, name, taken["project"])} == set()
    names = set().union(*(imports_of(data) for path, data in files.items() if path.suffix == ".py"))
    names = {name.lower() for name in names}
    assert {name for name in names if accepted(check_package, name, taken["package"])} == set()


def accepted(check: Callable[[str, Set[str]], None], name: str, taken: Set[str]) -> bool:
    try:
        check(name, taken)
    except UsageError:
        return False
    return True


def imports_of(source: bytes) -> set[str]:
    """Return the modules that a file imports, except those of the project."""
    nodes = list(ast.walk(ast.parse(source)))
    names = [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names} - {"my_project", "__future__"}


def test_no_code_of_the_template_is_run() -> None:
    names = {path.name for path in TEMPLATE.iterdir()}
    assert names == {"cookiecutter.json", "{{cookiecutter.project}}"}
    assert not {"_extensions", "_jinja2_env_vars"} & KEYS.keys()


def test_all_files_are_text_and_not_executable() -> None:
    for path in filter(Path.is_file, TEMPLATE.rglob("*")):
        assert path.read_bytes().decode("utf-8").count("\r") == 0
        assert not path.stat().st_mode & 0o111


def test_each_question_and_each_choice_has_a_label() -> None:
    labels = KEYS["__prompts__"]
    asked = [key for key in KEYS if not key.startswith("_")]
    assert asked == list(labels)
    for key in asked:
        if isinstance(KEYS[key], list):
            assert list(labels[key]) == ["__prompt__", *KEYS[key]]
        else:
            assert isinstance(labels[key], str)


def test_each_question_and_each_choice_is_documented() -> None:
    rows = (ROOT / "docs/project.md").read_text("utf-8").splitlines()
    for question in QUESTIONS:
        (row,) = (row for row in rows if row.startswith(f"| `{question.key}` |"))
        assert all(f"`{choice}`" in row for choice in question.choices)
        assert "{" in question.default or f"`{question.default}`" in row or "NAME" in row


def test_compiled_files_are_excluded(tmp_path: Path) -> None:
    copy = tmp_path / "template"
    shutil.copytree(TEMPLATE, copy)
    answers = with_defaults(QUESTIONS, {"project": "my_project"})
    before = render_project(copy, answers)
    compiled = copy / "{{cookiecutter.project}}/src/{{cookiecutter.package}}/__pycache__"
    compiled.mkdir()
    (compiled / "cli.cpython-311.pyc").write_bytes(b"\x00\x01")
    assert render_project(copy, answers) == before


def test_a_hook_is_not_run(tmp_path: Path) -> None:
    copy = tmp_path / "template"
    shutil.copytree(TEMPLATE, copy)
    (copy / "hooks").mkdir()
    for name in ("pre_prompt", "pre_gen_project", "post_gen_project"):
        (copy / "hooks" / f"{name}.py").write_text("raise SystemExit(1)\n")
    answers = with_defaults(QUESTIONS, {"project": "my_project"})
    assert render_project(copy, answers) == render_project(TEMPLATE, answers)


def test_the_current_folder_and_the_path_stay(here: Path) -> None:
    path = list(sys.path)
    render_project(TEMPLATE, with_defaults(QUESTIONS, {"project": "my_project"}))
    assert (Path.cwd(), sys.path) == (here, path)


names = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_.-]{0,11}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=1)


@settings(max_examples=25)
@given(names, texts, texts)
def test_whatever_is_accepted_gives_files_that_parse(
    name: str, description: str, author: str
) -> None:
    given = [Given("project", name), Given("description", description), Given("author", author)]
    try:
        answers = with_defaults(QUESTIONS, take_given(QUESTIONS, given))
    except ScaffoldError:
        return
    files = render_project(TEMPLATE, answers)
    for path, data in files.items():
        text = data.decode("utf-8")
        if path.suffix == ".py":
            compile(text, str(path), "exec")
        elif path.suffix == ".toml":
            tomllib.loads(text)
        elif path.suffix in (".yaml", ".yml"):
            YAML(typ="safe").load(text)
    about = tomllib.loads(files[PurePosixPath("pyproject.toml")].decode("utf-8"))["project"]
    assert (about["name"], about["description"]) == (name, description)
    assert any(answers["package"] in path.parts for path in files)


def test_git_ignores_no_file_of_the_template() -> None:
    files = [path for path in TEMPLATE.rglob("*") if "__pycache__" not in path.parts]
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin"],
        cwd=ROOT, input="\n".join(map(str, files)), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == ""
