from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import scaffold as package
from command_line import ENVIRONMENT, SAYS_NOTHING, process
from conftest import Outcome, Scaffold, tree
from scaffold.cli.failure import colored_diff
from scaffold.generation.catalog import Catalog
from terminal import on_a_terminal


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["layer", "--help"], ["show", "-h"]])
def test_help(harmless: Scaffold, words: list[str]) -> None:
    outcome = harmless(*words)
    usage = {"--help": "[OPTIONS] COMMAND [ARGS]...", "-h": "[OPTIONS] COMMAND [ARGS]...",
             "layer": "layer [OPTIONS] [NAME] [ATTRIBUTES]...",
             "show": "show [OPTIONS] TEMPLATE"}[words[0]]  # fmt: skip
    assert outcome.out.splitlines()[0] == f"Usage: scaffold {usage}"
    assert (outcome.code, outcome.err) == (0, "")


def test_exit_codes_are_documented_in_the_help(harmless: Scaffold) -> None:
    shown = harmless("--help").out.splitlines()
    start = shown.index(
        "  Exit codes: 0 success, 1 problem found, 2 usage error, 3 conflict (nothing"
    )
    assert shown[start + 1] == "  written), 4 refused as unsafe, 5 something missing."
    assert shown[-7:] == [
        "Commands:",
        "  check    Check layers and models against Keras's contract.",
        "  layer    Generate a custom Keras layer with its tests.",
        "  list     List the templates.",
        "  model    Generate a custom Keras model with its tests and a training script.",
        "  project  Generate a complete Keras project.",
        "  show     Show one template: formula, attributes, options, code.",
    ]


def test_without_a_command(harmless: Scaffold) -> None:
    outcome = harmless()
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == harmless("--help").out


def test_version(harmless: Scaffold) -> None:
    outcome = harmless("--version")
    assert outcome == Outcome(0, f"scaffold, version {package.__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lyer", "MyConv"], "Error: unknown command `lyer`. Did you mean `layer`?\n"
         "The commands are check, layer, list, model, project, show; see `scaffold --help`.\n"),
        (["quux"], "Error: unknown command `quux`.\n"
         "The commands are check, layer, list, model, project, show; see `scaffold --help`.\n"),
        (["a\x1bb"], "Error: unknown command `a�b`.\n"
         "The commands are check, layer, list, model, project, show; see `scaffold --help`.\n"),
        (["--jsn"], "Error: No such option '--jsn'. Did you mean '--json'?\n"
         "  --jsn\n  ^^^^^\nSee `scaffold --help`.\n"),
        (["layer", "X", "--into"], "Error: Option '--into' requires an argument.\n"
         "  --into\n  ^^^^^^\nSee `scaffold --help`.\n"),
        (["layer", "X", "--tempalte=conv"],
         "Error: No such option '--tempalte'. "
         "(Did you mean one of: '--interactive', '--template'?).\n"
         "  --tempalte=conv\n  ^^^^^^^^^^\nSee `scaffold layer --help`.\n"),
        (["layer", "X", "-t", "c\x1bnv"],
         "Error: layer template `c�nv` not found. Did you mean `conv`?\n"
         "  -t c�nv\n     ^^^^\nSee `scaffold list`.\n"),
    ],
)  # fmt: skip
def test_usage(harmless: Scaffold, words: list[str], said: str) -> None:
    outcome = harmless(*words)
    assert outcome == Outcome(2, "", said)


@pytest.mark.parametrize(
    ("words", "command"),
    [(["lyer", "--json"], "lyer"), (["--json"], None), (["--json", "layer"], "layer"),
     (["layer", "X", "--frm", "--json"], "layer"), (["list", "--x", "--json"], "list"),
     (["show", "--json"], "show")],
)  # fmt: skip
def test_errors_of_usage_as_json(harmless: Scaffold, words: list[str], command: str | None) -> None:
    outcome = harmless(*words)
    answer = outcome.answer()
    assert (outcome.code, answer["command"], answer["error"]["kind"]) == (2, command, "usage")


@pytest.mark.parametrize(
    ("words", "suggestions"),
    [
        (["lyer"], ["layer"]),
        (["quux"], []),
        (["layer", "X", "--frm", "x"], ["--from"]),
        (["layer", "X", "--tempalte=conv"], ["--template", "--interactive"]),
        (["layer", "X", "--quux"], []),
        (["layer", "X", "--template", "dens"], ["dense"]),
        (["layer", "X", "--template", "vgg16"], ["conv"]),
        (["layer", "X", "--base", "keras.layers.Dens"], ["Dense"]),
        (["layer", "MyDense", "untis=3"], ["units"]),
        (["layer", "MyDense", "activation=rleu"], ["relu"]),
        (["layer", "X", "gain:flaot"], ["float"]),
        (["layer", "LSTMConv"], ["scaffold layer LSTMConv --template conv",
                                 "scaffold layer LSTMConv --template lstm"]),
        (["layer", "MyConv", "--option", "rnk=2"], ["rank"]),
        (["model", "X", "--style", "subclas"], ["subclass"]),
        (["model", "X", "--layer", "Densee"], ["dense"]),
        (["show", "cnov"], ["conv"]),
        (["show", "VGG16"], ["scaffold show conv", "scaffold show cnn", "scaffold show resnet"]),
        (["project", "x", "bakend=jax"], ["backend"]),
        (["check", "x.py", "--only", "config-complet"], ["config-complete"]),
        (["check", "x.py", "--tag", "mixes-bach"], ["mixes-batch"]),
        (["check", "x.py", "--backend", "jaxx"], ["jax"]),
        (["check", "x.py", "--backend=jax", "--backend=toch"], ["torch"]),
    ],
)  # fmt: skip
def test_suggestions(harmless: Scaffold, words: list[str], suggestions: list[str]) -> None:
    assert harmless(*words, "--json").answer()["error"]["suggestions"] == suggestions


def test_json_after_a_double_dash_is_a_word(harmless: Scaffold) -> None:
    outcome = harmless("layer", "--", "X", "--json")
    assert outcome.out == ""
    assert outcome.err == (
        "Error: `--json` is neither name=value nor name:type.\n  --json\n  ^^^^^^\n"
        "Write `--json=...` for an attribute of the template, `--json:int=1` for a new one.\n"
    )


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("scaffold.planning.resolve", fail)


@pytest.mark.parametrize(
    ("error", "message", "fix"),
    [
        (KeyboardInterrupt(), "interrupted; nothing was written.", ""),
        (PermissionError(errno.EACCES, "Permission denied", "/x/spec.toml"),
         "/x/spec.toml: Permission denied.", ""),
        (OSError(errno.EIO, "Input/output error"), "Input/output error.", ""),
        (ZeroDivisionError("division by zero"),
         "bug in scaffold: ZeroDivisionError: division by zero.",
         "Please report it; set SCAFFOLD_TRACEBACK=1 for a traceback."),
    ],
)  # fmt: skip
def test_unexpected_error(
    harmless: Scaffold,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    message: str,
    fix: str,
) -> None:
    failing(monkeypatch, error)
    outcome = harmless("layer", "MyConv")
    said = outcome.err.removeprefix("\n")  # click ends the line on which ^C was typed
    assert (outcome.code, outcome.out) == (1, "")
    assert said == f"Error: {message}\n" + (f"{fix}\n" if fix else "")


def test_unexpected_error_as_json(harmless: Scaffold, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ZeroDivisionError("division by zero"))
    outcome = harmless("layer", "MyConv", "--json")
    assert outcome.code == 1
    assert outcome.answer()["error"] == {
        "kind": "failed",
        "exit_code": 1,
        "message": "bug in scaffold: ZeroDivisionError: division by zero.",
        "fix": "Please report it; set SCAFFOLD_TRACEBACK=1 for a traceback.",
        "place": None,
        "suggestions": [],
    }


def test_traceback(harmless: Scaffold, monkeypatch: pytest.MonkeyPatch) -> None:
    from scaffold.cli import main

    failing(monkeypatch, ZeroDivisionError("division by zero"))
    monkeypatch.setenv("SCAFFOLD_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError, match=r"^division by zero$"):
        main(["layer", "MyConv"])


def test_interrupted_while_writing(
    harmless: Scaffold, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.hardlink_to", interrupted)
    outcome = harmless("layer", "Whatever", "--into", "a/b")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.removeprefix("\n") == "Error: interrupted; nothing was written.\n"
    assert tree(here) == {}


def test_a_folder_without_write_permission(
    harmless: Scaffold, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def denied(path: Any, flags: int, *arguments: Any, **settings: Any) -> int:
        if flags & os.O_CREAT:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return opened(path, flags, *arguments, **settings)

    monkeypatch.setattr(os, "open", denied)
    said = f"could not lock {here}/.scaffold-journal: Permission denied."
    assert harmless("layer", "Whatever") == Outcome(1, "", f"Error: {said}\n")
    error = harmless("layer", "Whatever", "--json").answer()["error"]
    assert (error["kind"], error["message"]) == ("failed", said)


def test_a_file_without_read_permission(
    harmless: Scaffold, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path, *_: Any, **__: Any) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    (here / "pyproject.toml").write_text("")
    monkeypatch.setattr(Path, "read_text", denied)
    outcome = harmless("layer", "Whatever", "--template", "blank")
    assert outcome.code == 1
    [line] = outcome.err.splitlines()
    assert re.fullmatch(r"Error: /.+\.toml: Permission denied\.", line)


def test_a_pipe_that_is_closed(tmp_path: Path) -> None:
    for words in (["list"], ["show", "conv"], ["list", "--json"], ["layer", "x", "--json"]):
        read, write = os.pipe()
        os.close(read)
        done = process(*words, folder=tmp_path, capture_output=False, stdout=write,
                       stderr=subprocess.PIPE)  # fmt: skip
        os.close(write)
        assert (done.returncode, done.stderr) == (1, "")


def test_the_head_of_a_pipe(tmp_path: Path) -> None:
    command = f"'{sys.executable}' -m scaffold list | head -n 1"
    done = subprocess.run(
        command,
        shell=True,
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    first = Catalog.builtin().templates("layer")[0]
    assert done.stdout == f"layer {first.name}: {first.title}. {first.summary}\n"
    assert done.stderr == ""


def test_a_pipe_with_a_limited_encoding(tmp_path: Path) -> None:
    environment = ENVIRONMENT | {"PYTHONIOENCODING": "latin-1"}
    done = process("layer", "Ωmega", "--dry-run", folder=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == (f"\\u03a9mega: template blank ({SAYS_NOTHING})")
    done = process("layer", "Ωmega", "--dry-run", "--json", folder=tmp_path, env=environment)
    answer = Outcome(done.returncode, done.stdout, done.stderr).answer()
    assert answer["result"]["name"] == "Ωmega"


def test_python_m(tmp_path: Path) -> None:
    done = process("--version", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"scaffold, version {package.__version__}\n")


def test_color_on_a_terminal_only(tmp_path: Path) -> None:
    plain = process("layer", "Whatever", "--dry-run", folder=tmp_path).stdout
    assert "\x1b" not in plain
    assert on_a_terminal(tmp_path, "layer", "Whatever", "--dry-run", NO_COLOR="1") == plain
    colored = on_a_terminal(tmp_path, "layer", "Whatever", "--dry-run")
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain
    assert colored.splitlines()[0] == (f"\x1b[1mWhatever\x1b[0m: template blank ({SAYS_NOTHING})")
    assert colored.splitlines()[2].startswith("\x1b[32m   create\x1b[0m  whatever.py ")
    empty = on_a_terminal(tmp_path, "layer", "Whatever", "--dry-run", NO_COLOR="")
    assert empty == colored


def test_color_of_an_error(tmp_path: Path) -> None:
    plain = "Error: `a` is neither name=value nor name:type.\n  a\n  ^\n"
    fix = "Write `a=...` for an attribute of the template, `a:int=1` for a new one.\n"
    assert on_a_terminal(tmp_path, "layer", "X", "a", NO_COLOR="1") == plain + fix
    assert on_a_terminal(tmp_path, "layer", "X", "a") == (
        "\x1b[31m\x1b[1mError:\x1b[0m `a` is neither name=value nor name:type.\n"
        f"  a\n  \x1b[31m^\x1b[0m\n{fix}"
    )


def test_color_of_a_diff() -> None:
    assert colored_diff("--- a\n+++ b\n@@ -1 +1 @@\n one\n-two\n+2\n").split("\n") == [
        "\x1b[31m--- a", "\x1b[0m\x1b[32m+++ b", "\x1b[0m\x1b[36m@@ -1 +1 @@",
        "\x1b[0m one", "\x1b[0m\x1b[31m-two", "\x1b[0m\x1b[32m+2", "\x1b[0m",
    ]  # fmt: skip
