"""docs/json.md is true: its table of exit codes, the tables of outcomes, and its examples."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import get_args

import jsonschema  # type: ignore[import-untyped] # its stubs are in another package
import pytest

from command_line import ROOT
from conformance.few_checks import BROKEN, CLEAN, MISSING, few_checks, outcome
from conftest import _SCHEMA, Outcome, Scaffold
from scaffold.cli.check_answer import LOST, meaning
from scaffold.conformance.finding import Finding, Status
from scaffold.errors import KINDS
from scaffold.workspace import Workspace

__all__ = ["few_checks"]
PAGE = (ROOT / "docs/json.md").read_text("utf-8")
EXPECTED_ONLY = [one for one in BROKEN if one.status != "failed"]
NOT_HERE = outcome("constructs", "not_run_here", reason="on CPUs")


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table with these headings."""
    rows = PAGE.partition(heading)[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]


CODES = table("| Outcome | Code | `kind` |")
# tests/unit/cli/test_failure.py closes the pipe of another process.
CLOSED = "The reader of a pipe is gone"


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Have the checks of all runs end like this."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def end(*outcomes: object) -> None:
        run = "scaffold.conformance.process.session.run_session"
        monkeypatch.setattr(run, lambda request, starting: (one for one in outcomes))

    return end


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("scaffold.planning.resolve", fail)


# For each row of the table: how to get there, and the commands to run there.
Prepare = Callable[..., AbstractContextManager[object] | None]
LAYER = ["layer MyConv"]
CHECK = ["check my.py"]


def differing(here: Path, **_: object) -> None:
    (here / "my_conv.py").write_text("# edited\n")


def computed(here: Path, **_: object) -> None:
    (here / "pyproject.toml").write_text("[tool.scaffold]\n")
    (here / "__init__.py").write_text('__all__ = ["A"]\n__all__ += ["B"]\n')


ROWS: dict[str, tuple[Prepare | None, Sequence[str]]] = {
    "Files were written, or were already there": (
        None,
        ["layer MyConv", "layer MyConv", "model MyMLP", "project my_project"],
    ),
    "`--dry-run` or `--diff`, with nothing in the way": (
        None,
        ["layer MyConv --dry-run", "model MyMLP --diff", "project x --dry-run"],
    ),
    "A file differs, with `--on-conflict skip`, `overwrite` or `new`": (
        differing,
        [f"{LAYER[0]} --on-conflict {way}" for way in ("skip", "new", "overwrite")],
    ),
    "`list`, even if nothing matches; `show`; `--help`; `--version`": (
        None,
        ["list", "list quux", "show conv", "--help", "--version", "layer --help"],
    ),
    "`check --list` and `check --explain`": (
        None,
        ["check --list", "check --explain constructs"],
    ),
    "`check`: each outcome is `kept`, `not_checked`, `not_run_here`, or `broken` as declared": (
        lambda checked, **_: checked(*CLEAN, *EXPECTED_ONLY, NOT_HERE),
        CHECK,
    ),
    "`check`: nothing to check, with `--allow-empty`": (
        lambda checked, **_: checked(),
        ["check my.py --allow-empty"],
    ),
    "`check`: an outcome is `broken`, not as declared": (
        lambda checked, **_: checked(*CLEAN, *BROKEN),
        CHECK,
    ),
    "`check`: an outcome is `unfinished`": (
        lambda checked, **_: checked(outcome("constructs", "failed", Finding(LOST, "exit code 3"))),
        CHECK,
    ),
    "Interrupted by Ctrl-C or at a prompt": (
        lambda monkeypatch, **_: failing(monkeypatch, KeyboardInterrupt()),
        LAYER,
    ),
    "A file can't be read or written": (
        lambda monkeypatch, **_: failing(monkeypatch, PermissionError(13, "Permission denied")),
        LAYER,
    ),
    "A bug in scaffold": (
        lambda monkeypatch, **_: failing(monkeypatch, ZeroDivisionError()),
        LAYER,
    ),
    "No command: the help is printed to standard error": (None, [""]),
    "The command, an attribute, an option, a spec or a setting is invalid": (
        lambda here, **_: (here / "net.toml").write_text("x = 1"),
        ["lyer", "layer MyConv x", "layer MyConv -orank=9", "layer X --x", "layer --from net.toml"],
    ),
    "The name of a class doesn't settle the template, without a terminal": (
        None,
        ["model VGG16"],
    ),
    "`check`: nothing to check": (lambda checked, **_: checked(), CHECK),
    "A file differs, also with `--dry-run` and `--diff`: nothing was written": (
        differing,
        [*LAYER, f"{LAYER[0]} --dry-run", f"{LAYER[0]} --diff", f"{LAYER[0]} --on-conflict=fail"],
    ),
    "Something other than a file is where a file must be written: nothing was written": (
        lambda here, **_: (here / "my_conv.py").mkdir(exist_ok=True),
        LAYER,
    ),
    "A package's `__init__.py` can't be edited safely: nothing was written": (computed, LAYER),
    "Another run is writing: nothing was written": (
        lambda here, **_: Workspace(here).transaction(),
        LAYER,
    ),
    "A path outside the folder, an invisible character, or a spec that is too large": (
        lambda here, **_: (here / "net.toml").write_bytes(b"#" * 1_000_001),
        ["layer MyConv --save-spec ../x.toml", "layer MyConv \x07=1", "layer --from net.toml"],
    ),
    "A package, a backend, a file or a folder is missing": (
        None,
        ["layer --from none.toml", "check my.py --junit none/x.xml", "model X --layer=a.py:A"],
    ),
}


@pytest.mark.usefixtures("few_checks")
@pytest.mark.parametrize(
    ("said", "code", "kind"), [row for row in CODES if row[0] != CLOSED], ids=lambda cell: cell[:50]
)
def test_an_exit_code(
    said: str,
    code: str,
    kind: str,
    scaffold: Scaffold,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    checked: Callable[..., None],
) -> None:
    prepare, commands = ROWS[said]
    for more in ([], ["--json"]):
        with monkeypatch.context() as patched:
            held = prepare and prepare(here=here, monkeypatch=patched, checked=checked)
            with held if isinstance(held, AbstractContextManager) else patched.context():
                for line in commands:
                    words = shlex.split(line)
                    ended = scaffold(*words, *(more if words else ()))
                    assert ended.code == int(code), line
                    if more and ended.out:
                        answer = json.loads(ended.out)
                        jsonschema.validate(answer, _SCHEMA, jsonschema.Draft202012Validator)
                        found = answer["error"] and f"`{answer['error']['kind']}`"
                        assert (found or "") == kind, line


def test_every_row_is_run() -> None:
    assert [said for said, _, _ in CODES if said != CLOSED] == [*ROWS]


def test_every_kind_has_its_code() -> None:
    kinds = {(one.kind, str(one.exit_code)) for one in KINDS}
    assert {(kind.strip("`"), code) for _, code, kind in CODES if kind} == kinds


def test_every_outcome_is_described() -> None:
    found = {"failed": (MISSING,), "expected": (MISSING,)}
    made = [outcome("runs", status, *found.get(status, ())) for status in get_args(Status)]
    made.append(outcome("runs", "failed", Finding(LOST, "exit code 3")))
    rows = [tuple(cell.strip("`") for cell in row[:2]) for row in table("| `outcome` | `status` |")]
    assert sorted(rows) == sorted((meaning(one), one.status) for one in made)


@pytest.mark.parametrize("block", re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL))
def test_an_example_is_an_answer(block: str) -> None:
    jsonschema.validate(json.loads(block), _SCHEMA, jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    "line",
    [
        "scaffold layer MyProjection --json",
        "scaffold layer MyConv kernel_initializer=he_nomal --json",
    ],
)
def test_an_example_is_what_is_printed(scaffold: Scaffold, here: Path, line: str) -> None:
    (here.parent / "my_project").mkdir()
    (here / "pyproject.toml").write_text('[project]\nname = "my_project"\n')
    block = PAGE.partition(f"```sh\n{line}\n```")[2].partition("```json\n")[2].partition("```")[0]
    outcome: Outcome = scaffold(*shlex.split(line)[1:])
    assert outcome.answer() == json.loads(block)
