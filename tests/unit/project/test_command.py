from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import pytest

import scaffold.cli.project_command as module
from command_line import ROOT, process
from conftest import Scaffold, tree, without_content
from terminal import on_a_terminal, talk

Refused = Callable[..., tuple[int, str]]
TEMPLATE = ROOT / "templates/project"
FILES = {
    "Makefile": "test:\n\ttrue\n",
    "README.md": "{{ cookiecutter.description }}\n",
    "src/{{cookiecutter.package}}/__init__.py": "",
    "src/{{cookiecutter.package}}/data.py": "import keras\n",
    "tests/test_data.py": "import {{ cookiecutter.package }}\n",
}
CREATED = """\
my_project: package my_project backend=tensorflow license=Apache-2.0 docker=both ci=both
   create  my_project/Makefile      2 lines
   create  my_project/README.md     1 lines
   create  my_project/src           2 files
   create  my_project/tests         1 file
"""
NEXT = "Next: cd my_project && make test\n"
DRY = "Nothing was written: this was a dry run.\n"
RETRY = "Use --on-conflict skip, overwrite, or new (writes to a .new file).\n"
KEYS = "The keys are project, package, description, author, backend, license, docker, ci."
MARKS = (
    "use only letters, digits, `-`, `_` and `.`, "
    "beginning with a letter and ending with a letter or digit."
)


@pytest.fixture(autouse=True)
def small(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A template with the real questions and a few files."""
    folder = tmp_path_factory.mktemp("template")
    shutil.copyfile(TEMPLATE / "cookiecutter.json", folder / "cookiecutter.json")
    for name, text in FILES.items():
        path = folder / "{{cookiecutter.project}}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(module, "_TEMPLATE", folder)


def names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in files(folder)]


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def reports(error: str, fix: str = "", place: str = "", carets: str = "") -> str:
    """Return the error as the user sees it."""
    pointer = f"  {place}\n  {carets}\n" if place else ""
    return f"Error: {error}\n{pointer}{fix}" + ("\n" if fix else "")


def test_from_a_name_to_a_project(scaffold: Scaffold, here: Path) -> None:
    outcome = scaffold("project", "my_project")
    assert (outcome.code, outcome.out, outcome.err) == (0, CREATED + NEXT, "")
    assert names(here / "my_project") == [
        "Makefile", "README.md", "src/my_project/__init__.py", "src/my_project/data.py",
        "tests/test_data.py",
    ]  # fmt: skip
    assert (here / "my_project/README.md").read_text() == "A Keras project.\n"


def test_answers(scaffold: Scaffold, here: Path) -> None:
    words = ["backend=jax", "docker=none", "license=MIT", "ci=cpu", "description= A 1 % net. "]
    outcome = scaffold("project", "My-Net", *words)
    assert outcome.out.splitlines()[0] == (
        "My-Net: package my_net backend=jax license=MIT docker=none ci=cpu"
    )
    assert outcome.out.splitlines()[-1] == "Next: cd My-Net && make test"
    assert (here / "My-Net/README.md").read_text() == "A 1 % net.\n"
    assert (here / "My-Net/tests/test_data.py").read_text() == "import my_net\n"
    assert scaffold("project", "project=n.net", "package=n_net").code == 0
    assert (here / "n.net/src/n_net/data.py").is_file()


def test_twice_is_unchanged(scaffold: Scaffold, here: Path) -> None:
    scaffold("project", "my_project")
    before = tree(here)
    outcome = scaffold("project", "my_project")
    assert tree(here) == before
    assert outcome.out == CREATED.replace("   create", "unchanged") + NEXT


# What would be written.


def test_dry_run(harmless: Scaffold) -> None:
    outcome = harmless("project", "my_project", "--dry-run")
    assert (outcome.code, outcome.out, outcome.err) == (0, CREATED + DRY, "")


def test_diff_is_the_same_plan(harmless: Scaffold, scaffold: Scaffold, here: Path) -> None:
    diff = harmless("project", "my_project", "--diff")
    plan = harmless("project", "my_project", "--dry-run", "--json").answer()["result"]
    both = harmless("project", "my_project", "--diff", "--json").answer()["result"]
    assert plan["written"] is both["written"] is False
    assert both.pop("diff") == diff.out
    assert both == without_content(plan)
    assert diff.out.startswith(
        "--- /dev/null\n+++ b/my_project/Makefile\n@@ -0,0 +1,2 @@\n+test:\n+\ttrue\n"
    )
    done = scaffold("project", "my_project", "--json").answer()["result"]
    assert {**done, "written": False, "next": ""} == without_content(plan)
    for change in plan["changes"]:
        assert (here / change["path"]).read_text("utf-8") == change["content"]


def test_json(scaffold: Scaffold, here: Path) -> None:
    answer = scaffold("project", "my-project", "author=Ada", "--json").answer()
    assert answer == {
        "version": 2,
        "command": "project",
        "ok": True,
        "result": {
            "project": "my-project",
            "package": "my_project",
            "answers": {
                "project": "my-project",
                "package": "my_project",
                "description": "A Keras project.",
                "author": "Ada",
                "backend": "tensorflow",
                "license": "Apache-2.0",
                "docker": "both",
                "ci": "both",
            },
            "written": True,
            "changes": [
                {"path": path.relative_to(here).as_posix(), "action": "create"}
                for path in files(here)
            ],
            "skipped": [],
            "next": "cd my-project && make test",
        },
        "error": None,
    }


# Conflicts.


@pytest.fixture
def edited(scaffold: Scaffold, here: Path) -> Path:
    """A project in which a file was then edited."""
    scaffold("project", "my_project")
    path = here / "my_project/src/my_project/data.py"
    path.write_text("import numpy\n")
    return path


DATA = "my_project/src/my_project/data.py"
DIFF = f"--- a/{DATA}\n+++ b/{DATA}\n@@ -1 +1 @@\n-import numpy\n+import keras\n"
DIFFERS = f"{DATA} already exists with different content; nothing was written."


@pytest.mark.parametrize("flags", [[], ["--on-conflict=fail"], ["--dry-run"]])
def test_a_conflict(edited: Path, refused: Refused, flags: list[str]) -> None:
    (edited.parents[2] / "Makefile").unlink()
    assert refused("project", "my_project", *flags) == (3, f"{DIFF}Error: {DIFFERS}\n{RETRY}")


def test_a_conflict_as_json(edited: Path, harmless: Scaffold) -> None:
    error = harmless("project", "my_project", "--json").answer()["error"]
    assert (error["kind"], error["message"]) == ("conflict", DIFFERS)
    assert (error["conflicts"], error["diff"]) == ([DATA], DIFF)


def rows(*lines: str) -> str:
    return CREATED.splitlines(keepends=True)[0] + "".join(f"{line}\n" for line in lines)


def test_skip(edited: Path, harmless: Scaffold) -> None:
    outcome = harmless("project", "my_project", "--on-conflict=skip")
    assert (outcome.code, outcome.out) == (0, rows(
        "unchanged  my_project/Makefile                   2 lines",
        "unchanged  my_project/README.md                  1 lines",
        "unchanged  my_project/src                        1 file",
        "  skipped  my_project/src/my_project/data.py  differs",
        "unchanged  my_project/tests                      1 file",
    ) + NEXT)  # fmt: skip
    result = harmless("project", "my_project", "--on-conflict=skip", "--json").answer()["result"]
    assert result["skipped"] == [DATA]


def test_overwrite(edited: Path, scaffold: Scaffold) -> None:
    (edited.parents[2] / "tests/test_data.py").unlink()
    outcome = scaffold("project", "my_project", "--on-conflict=overwrite")
    assert (outcome.code, outcome.out) == (0, rows(
        "unchanged  my_project/Makefile                   2 lines",
        "unchanged  my_project/README.md                  1 lines",
        "unchanged  my_project/src                        1 file",
        "  replace  my_project/src/my_project/data.py     1 lines",
        "   create  my_project/tests                      1 file",
    ) + NEXT)  # fmt: skip
    assert edited.read_text() == "import keras\n"


def test_new(edited: Path, scaffold: Scaffold) -> None:
    outcome = scaffold("project", "my_project", "--on-conflict=new")
    assert (outcome.code, outcome.out) == (0, rows(
        "unchanged  my_project/Makefile                       2 lines",
        "unchanged  my_project/README.md                      1 lines",
        "unchanged  my_project/src                            1 file",
        "   create  my_project/src/my_project/data.py.new     1 lines",
        "unchanged  my_project/tests                          1 file",
    ) + NEXT)  # fmt: skip
    assert edited.read_text() == "import numpy\n"
    assert edited.with_name("data.py.new").read_text() == "import keras\n"


def test_one_file_in_the_way_and_nothing_is_written(refused: Refused, here: Path) -> None:
    (here / "my_project/src").mkdir(parents=True)
    (here / "my_project/src/my_project").write_text("")
    assert refused("project", "my_project") == (
        3, reports("a file is in the way of my_project/src/my_project/__init__.py.")
    )  # fmt: skip


def test_interrupted_while_writing(harmless: Scaffold, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.hardlink_to", interrupted)
    outcome = harmless("project", "my_project")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.removeprefix("\n") == "Error: interrupted; nothing was written.\n"


# Folders.


@pytest.mark.parametrize("into", ["a/b c", "./a/b c", "../project/a/b c"])
def test_into_a_folder_that_is_created(scaffold: Scaffold, here: Path, into: str) -> None:
    outcome = scaffold("project", "my_project", "--into", into)
    assert outcome.out.splitlines()[1] == "   create  a/b c/my_project/Makefile      2 lines"
    assert outcome.out.splitlines()[-1] == "Next: cd 'a/b c/my_project' && make test"
    assert (here / "a/b c/my_project/Makefile").is_file()


def test_into_a_folder_elsewhere(scaffold: Scaffold, here: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    outcome = scaffold("project", "my_project", "--into", "../other")
    assert outcome.out.splitlines()[-1] == "Next: cd ../other/my_project && make test"
    assert (tmp_path / "other/my_project/Makefile").is_file()
    assert names(here) == []


def test_inside_a_repository(
    scaffold: Scaffold, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "pyproject.toml").write_text("[tool.scaffold]\ninto = 'src'\n")
    (here / "sub").mkdir()
    monkeypatch.chdir(here / "sub")
    outcome = scaffold("project", "my_project")
    assert (outcome.code, outcome.out) == (0, CREATED + NEXT)
    assert (here / "sub/my_project/Makefile").is_file()


def test_folders_refused(refused: Refused, here: Path, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere"
    assert refused("project", "my_project", "--into", "../elsewhere") == (
        5, reports(f"folder {outside} not found.")
    )  # fmt: skip
    outside.mkdir()
    (here / "link").symlink_to(outside)
    (here / "my_project").symlink_to(outside)
    (here / "file").write_text("")
    for words, path in ((["x", "--into", "link"], "link/x"), (["my_project"], "my_project")):
        assert refused("project", *words) == (
            4, reports(f"{path} is outside {here}.", "Choose a path inside that folder.")
        )  # fmt: skip
    assert refused("project", "x", "--into", "file") == (
        2,
        reports(
            "Invalid value for '--into': Directory 'file' is a file.",
            "See `scaffold project --help`.",
            "--into file",
            "       ^^^^",
        ),
    )


def test_another_run_is_writing(refused: Refused, here: Path) -> None:
    from scaffold.workspace import Workspace

    with Workspace(here).transaction():
        assert refused("project", "my_project") == (
            3,
            reports(
                f"another scaffold run is writing in {here}.",
                "Wait until it has ended, then run the command again.",
            ),
        )


# Refusals.


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, reports("no project name given.",
                        "Add one, as in `scaffold project my_project`.")),
        (["backend=jax"], 2, reports("no project name given.",
                                     "Add one, as in `scaffold project my_project`.")),
        ([""], 2, reports("`` is not a valid project name: it is empty.",
                          "Use `project=my_project`, for example.")),
        (["../x"], 2, reports(f"`../x` is not a valid project name: {MARKS}",
                              "Use `project=x`, for example.")),
        (["project=3d"], 2, reports(f"`3d` is not a valid project name: {MARKS}",
                                    "Use `project=my_3d`, for example.",
                                    "project=3d", "        ^^")),
        (["keras"], 2, reports(
            "a project `keras` would be installed in place of its dependency `keras`.",
            "Use `project=my_keras`, for example.")),
        (["random"], 2, reports("a package `random` would shadow Python's module `random`.",
                                "Use `package=my_random`, for example.")),
        (["x", "package=Net"], 2, reports(
            "`Net` is not a valid package name: use only lowercase letters, digits and `_`, "
            "beginning with a letter.",
            "Use `package=net`, for example.", "package=Net", "        ^^^")),
        (["x", "bakend=jax"], 2, reports(
            "unknown key `bakend`. Did you mean `backend`?", KEYS, "bakend=jax", "^^^^^^")),
        (["x", "__prompts__=jax"], 2, reports(
            "unknown key `__prompts__`.", KEYS, "__prompts__=jax", "^^^^^^^^^^^")),
        (["x", "backend=jxa"], 2, reports(
            "`backend` can't be `jxa`. Did you mean `jax`?",
            "It must be one of tensorflow, jax, torch.",
            "backend=jxa", "        ^^^")),
        (["x", "docker="], 2, reports(
            "`docker` can't be ``.", "It must be one of both, cpu, none.", "docker=", "       ^")),
        (["x", "ci=cpu", "ci=both"], 2, reports(
            "`ci` is given twice.", "Remove one of them.", "ci=both", "^^")),
        (["x", "project=y"], 2, reports(
            "`project` is given twice.", "Remove one of them.", "project=y", "^^^^^^^")),
        (["x", "jax"], 2, reports(
            "`jax` is not key=value.", "Write `backend=jax`, for example.", "jax", "^^^")),
        (["x", 'author=Ada "A"'], 2, reports(
            '`author` contains `"`, which the project\'s files would have to escape.',
            "Remove it.", 'author=Ada "A"', "       ^^^^^^^")),
        (["x", "description="], 2, reports(
            "`description` is empty.", "Write a few words.", "description=", "            ^")),
        (["x", "author={{ 7 * 7 }}"], 4, reports(
            "`author` contains `{{`, which would be run as a template.",
            "Remove it.", "author={{ 7 * 7 }}", "       ^^^^^^^^^^^")),
        (["{% raw %}"], 4, reports(
            "`project` contains `{%`, which would be run as a template.", "Remove it.")),
        (["x", "backend={# #}"], 4, reports(
            "`backend` contains `{#`, which would be run as a template.", "Remove it.",
            "backend={# #}", "        ^^^^^")),
        (["x", "author=a\nb"], 4, reports(
            "`author` contains the control character U+000A.",
            "Retype it on one line, without invisible characters.")),
        (["x\x1b[31m"], 4, reports(
            "`project` contains the control character U+001B.",
            "Retype it on one line, without invisible characters.")),
        (["x", "a\x1b=b"], 4, reports(
            "`a�` contains the control character U+001B.",
            "Retype it on one line, without invisible characters.")),
        (["x", "--djff"], 2, reports(
            "No such option '--djff'. Did you mean '--diff'?", "See `scaffold project --help`.",
            "--djff", "^^^^^^")),
    ],
)  # fmt: skip
def test_refused(
    refused: Refused, harmless: Scaffold, words: list[str], code: int, said: str
) -> None:
    assert refused("project", *words) == (code, said)
    error = harmless("project", *words, "--json").answer()["error"]
    assert error["exit_code"] == code
    place = error["place"]
    pointed = ""
    if place:
        pointed = " " * place["start"] + "^" * max(place["end"] - place["start"], 1)
    assert reports(error["message"], error["fix"], (place or {}).get("text", ""), pointed) == said


def test_errors_are_reported_before_cookiecutter_runs(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    def called(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(module, "render_project", called)
    assert refused("project", "x", "author={{ 1 }}")[0] == 4
    assert refused("project", "match")[0] == 2


# On a terminal: the real template, in a separate process.

ASKED: dict[str, tuple[str, Any]] = {
    "project": ("Name of the project and its folder (project=...) [my_project]: ", []),
    "package": ("Name of the package (package=...) [{}]: ", []),
    "description": ("One-line description (description=...) [A Keras project.]: ", []),
    "author": ("Author (author=...) [The authors]: ", []),
    "backend": (
        "Keras backend (backend=...) [tensorflow]: ",
        ["  tensorflow  TensorFlow", "  jax         JAX", "  torch       PyTorch"],
    ),
    "license": (
        "License (license=...) [Apache-2.0]: ",
        [
            "  Apache-2.0    Apache License 2.0",
            "  MIT           MIT License",
            "  BSD-3-Clause  BSD 3-Clause License",
            "  Proprietary   none: all rights reserved",
        ],
    ),
    "docker": (
        "Dockerfiles (docker=...) [both]: ",
        ["  both  CPU and GPU", "  cpu   CPU only", "  none  none"],
    ),
    "ci": (
        "GitHub workflows (ci=...) [both]: ",
        ["  both  CPU and GPU runners", "  cpu   CPU runners only"],
    ),
}


def question(key: str, package: str = "my_project") -> str:
    return ASKED[key][0].format(package)


def test_all_prompts_each_answered_wrongly_first(tmp_path: Path) -> None:
    package = question("package", "my_net")
    folder = tmp_path / "asked"
    folder.mkdir()
    code, lines = talk(
        folder,
        ["project"],
        [
            (question("project"), "my net"),
            (question("project"), "keras"),
            (question("project"), "My-Net"),
            (package, "layers"),
            (package, "match"),
            (package, ""),
            (question("description"), "{{ 7 * 7 }}"),
            (question("description"), "It's a net."),
            (question("author"), 'Ada "A"'),
            (question("author"), "Ada"),
            (question("backend"), "jxa"),
            (question("backend"), "jax"),
            (question("license"), "GPL"),
            (question("license"), ""),
            (question("docker"), "gpu"),
            (question("docker"), "none"),
            (question("ci"), "gpu"),
            (question("ci"), ""),
        ],
    )
    assert code == 0
    end = lines.index("To repeat without prompts: scaffold project My-Net "
                      "'description=It'\"'\"'s a net.' author=Ada backend=jax docker=none "
                      "--no-input")  # fmt: skip
    assert lines[:end] == [
        f"{question('project')}my net",
        f"Error: `my net` is not a valid project name: {MARKS} "
        "Use `project=my_net`, for example.",
        f"{question('project')}keras",
        "Error: a project `keras` would be installed in place of its dependency `keras`. "
        "Use `project=my_keras`, for example.",
        f"{question('project')}My-Net",
        f"{package}layers",
        "Error: a package `layers` would shadow the `layers` that the project uses. "
        "Use `package=my_layers`, for example.",
        f"{package}match",
        "Error: `match` is not a valid package name: it is a Python keyword. "
        "Use `package=my_match`, for example.",
        package,
        f"{question('description')}{{{{ 7 * 7 }}}}",
        "Error: `description` contains `{{`, which would be run as a template. Remove it.",
        f"{question('description')}It's a net.",
        f'{question("author")}Ada "A"',
        "Error: `author` contains `\"`, which the project's files would have to escape. Remove it.",
        f"{question('author')}Ada",
        *ASKED["backend"][1],
        f"{question('backend')}jxa",
        "Error: `backend` can't be `jxa`. Did you mean `jax`? "
        "It must be one of tensorflow, jax, torch.",
        f"{question('backend')}jax",
        *ASKED["license"][1],
        f"{question('license')}GPL",
        "Error: `license` can't be `GPL`. "
        "It must be one of Apache-2.0, MIT, BSD-3-Clause, Proprietary.",
        question("license"),
        *ASKED["docker"][1],
        f"{question('docker')}gpu",
        "Error: `docker` can't be `gpu`. Did you mean `cpu`? It must be one of both, cpu, none.",
        f"{question('docker')}none",
        *ASKED["ci"][1],
        f"{question('ci')}gpu",
        "Error: `ci` can't be `gpu`. Did you mean `cpu`? It must be one of both, cpu.",
        question("ci"),
    ]
    assert lines[end + 1] == (
        "My-Net: package my_net backend=jax license=Apache-2.0 docker=none ci=both"
    )
    assert lines[-1] == "Next: cd My-Net && make test"
    again = tmp_path / "again"
    again.mkdir()
    words = shlex.split(lines[end].partition(": scaffold ")[2])
    assert process(*words, folder=again).returncode == 0
    assert tree(again) == tree(folder)


def test_there_is_no_prompt_for_given_values(tmp_path: Path) -> None:
    words = ["package=net", "description=x", "author=y", "backend=torch", "ci=cpu", "--dry-run"]
    answers = [(question("license"), "MIT"), (question("docker"), "cpu")]
    code, lines = talk(tmp_path, ["project", "my_project", *words], answers)
    assert code == 0
    assert lines[:11] == [
        *ASKED["license"][1],
        f"{question('license')}MIT",
        *ASKED["docker"][1],
        f"{question('docker')}cpu",
        "To repeat without prompts: scaffold project my_project package=net description=x "
        "author=y backend=torch license=MIT docker=cpu ci=cpu --no-input",
        "my_project: package net backend=torch license=MIT docker=cpu ci=cpu",
    ]
    assert lines[-1] == DRY.rstrip()
    assert tree(tmp_path) == {}


def test_an_invalid_default_is_not_offered(tmp_path: Path) -> None:
    package = "Name of the package (package=...): "
    answers = [(package, ""), (package, "nets"), *((question(key), "") for key in list(ASKED)[2:])]
    code, lines = talk(tmp_path, ["project", "random", "--dry-run"], answers)
    assert code == 0
    assert lines[:3] == [package, f"{package}nets", question("description")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["3d"], [f"Error: `3d` is not a valid project name: {MARKS}",
                  "Use `project=my_3d`, for example."]),
        (["x", "backend=jxa"], ["Error: `backend` can't be `jxa`. Did you mean `jax`?",
                                "  backend=jxa", "          ^^^",
                                "It must be one of tensorflow, jax, torch."]),
        (["x", "--into", "../none"], None),
        (["--no-input"], ["Error: no project name given.",
                          "Add one, as in `scaffold project my_project`."]),
    ],
)  # fmt: skip
def test_errors_are_reported_before_any_question(
    tmp_path: Path, words: list[str], said: list[str] | None
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    code, lines = talk(here, ["project", *words], [])
    assert code == (2 if said else 5)
    assert lines == (said or [f"Error: folder {tmp_path}/none not found."])
    assert list(tree(tmp_path)) == ["here"]


@pytest.mark.parametrize("how_far", [0, 1, 4, 7])
def test_end_of_input_and_interrupt(tmp_path: Path, how_far: int) -> None:
    asked = [(question(key), "") for key in ASKED]
    for key in ("\x04", "\x03"):
        code, lines = talk(tmp_path, ["project"], [*asked[:how_far], (asked[how_far][0], key)])
        assert code == 1
        assert lines[-1] == "Error: interrupted; nothing was written."
        assert tree(tmp_path) == {}


def test_no_input_on_a_terminal_and_without_one(tmp_path: Path) -> None:
    code, lines = talk(tmp_path, ["project", "my_project", "--no-input", "--dry-run"], [])
    done = process("project", "my_project", "--dry-run", folder=tmp_path, stdin=DEVNULL)
    assert (code, done.returncode, done.stderr) == (0, 0, "")
    assert lines == done.stdout.splitlines()
    assert lines[0] == CREATED.splitlines()[0]


def test_json_on_a_terminal_prompts_on_standard_error(tmp_path: Path) -> None:
    answers = [(question(key), "") for key in ASKED]
    command = "scaffold project --json --dry-run"
    code, lines = talk(tmp_path, command.split()[1:], answers)
    assert code == 0
    assert lines[lines.index("{") - 1] == (
        "To repeat without prompts: scaffold project my_project --no-input"
    )


def test_color_on_a_terminal_only(tmp_path: Path) -> None:
    words = ("project", "my_project", "--dry-run")
    plain = on_a_terminal(tmp_path, *words, NO_COLOR="1")
    assert plain == process(*words, folder=tmp_path).stdout
    colored = on_a_terminal(tmp_path, *words)
    assert colored.splitlines()[0].startswith("\x1b[1mmy_project\x1b[0m: package my_project ")
    assert colored.splitlines()[1].startswith("\x1b[32m   create\x1b[0m  my_project/")
