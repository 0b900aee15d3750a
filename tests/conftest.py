"""A command line to call in-process, in a folder of its own."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import jsonschema
import pytest

from scaffold.cli import main

_SCHEMA = json.loads((Path(__file__).parent / "cli" / "answer.schema.json").read_text("utf-8"))
Tree = Mapping[str, tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended, and all that it printed."""

    code: int
    out: str
    err: str

    def answer(self) -> Any:
        """What was printed as JSON, which has the one shape that every answer has."""
        answer = json.loads(self.out)
        jsonschema.validate(answer, _SCHEMA, jsonschema.Draft202012Validator)
        assert self.err == ""
        assert answer["ok"] == (self.code == 0)
        if not answer["ok"]:
            assert answer["error"]["exit_code"] == self.code
        return answer


class Scaffold(Protocol):
    """Runs the command line with these words."""

    def __call__(self, *words: str) -> Outcome: ...


def tree(folder: Path) -> Tree:
    """Everything below a folder, by name: its mode, and its bytes or where a link leads."""
    found = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        content = b""
        if stat.S_ISLNK(mode):
            content = os.fsencode(path.readlink())
        elif stat.S_ISREG(mode):
            content = path.read_bytes()
        found[path.relative_to(folder).as_posix()] = (mode, content)
    return found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder `project`, empty, which is the current one."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def scaffold(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Scaffold:
    """The command line, run in this process in the folder `here`, printing into a pipe."""
    for name in ("NO_COLOR", "FORCE_COLOR", "SCAFFOLD_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "fsync", lambda _: None)

    def run(*words: str) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(words)
        printed = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return Outcome(left.value.code, printed.out, printed.err)

    return run


@pytest.fixture
def unchanged(here: Path, tmp_path: Path) -> Callable[[], bool]:
    """Whether nothing has been written, in `here` or around it, since this was first asked for.

    Ask for this fixture last: it looks at the tree when the test begins, and each time that
    it is called it compares, then looks anew.
    """
    seen = tree(tmp_path)

    def compare() -> bool:
        nonlocal seen
        before, seen = seen, tree(tmp_path)
        return before == seen

    return compare
