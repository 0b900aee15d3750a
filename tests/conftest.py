"""A command line to call in-process, in a temporary folder."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

import jsonschema  # type: ignore[import-untyped] # its stubs are in another package
import pytest
from hypothesis import settings

from proof_marks import Proofs
from scaffold.cli import main
from tools.examples.verify.steps import QUICK, threads
from tools.proof_store import VARIABLE, ProofStore, stores
from tools.warm import warm_python

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

_HERE = Path(__file__).parent
_SCHEMA = json.loads((_HERE.parent / "docs/answer.schema.json").read_text("utf-8"))
Tree = Mapping[str, tuple[int, bytes]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option of `make sweep`."""
    parser.addoption(
        "--every-backend",
        action="store_true",
        help="test each layer of Keras and KerasHub and each model on every backend, not on one",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Have XLA compile quickly, and share JAX's compilation cache between processes of the run.

    Most of JAX's time in a test is spent compiling code that runs once, on small data.
    """
    config.pluginmanager.register(Proofs(_HERE.parent, ProofStore(stores())), "proofs")
    if hasattr(config, "workerinput"):  # It inherits the environment of the main process.
        return
    os.environ.setdefault("XLA_FLAGS", QUICK)
    if config.getoption("numprocesses", None):
        os.environ.update(threads(os.cpu_count() or 1))
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        compiled = tempfile.TemporaryDirectory(prefix="compiled-", ignore_cleanup_errors=True)
        config.add_cleanup(compiled.cleanup)
        os.environ["JAX_COMPILATION_CACHE_DIR"] = compiled.name
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
        os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The exit code and the output of a run."""

    code: int
    out: str
    err: str

    def answer(self) -> Any:
        """Return the printed JSON, after validating it against the schema."""
        answer = json.loads(self.out)
        jsonschema.validate(answer, _SCHEMA, jsonschema.Draft202012Validator)
        assert self.err == ""
        assert answer["ok"] == (self.code == 0)
        if not answer["ok"]:
            assert self.code == (answer["error"]["exit_code"] if answer["error"] else 1)
        return answer


class Scaffold(Protocol):
    """Runs the command line with these arguments."""

    def __call__(self, *words: str) -> Outcome: ...


def without_content(result: Any) -> Any:
    """Return the result of a dry run without the content of files."""
    kept = [{"path": one["path"], "action": one["action"]} for one in result["changes"]]
    return {**result, "changes": kept}


def tree(folder: Path) -> Tree:
    """Return the mode of everything in a folder, by name, and its bytes or the target of a link."""
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


class Warm(Protocol):
    """Returns a python that has imported Keras for a backend, with or without oneDNN."""

    def __call__(self, backend: str, one_dnn: str = "") -> str: ...


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """Interpreters for the whole session, since importing Keras takes seconds."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def of(backend: str, one_dnn: str = "") -> str:
            variables = {"TF_ENABLE_ONEDNN_OPTS": one_dnn} if one_dnn else {}
            return stack.enter_context(warm_python([backend], variables))

        yield of


@pytest.fixture(autouse=True)
def without_proofs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test read or write the store of this run."""
    monkeypatch.setenv(VARIABLE, os.devnull)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty folder `project`, which is the current one."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def program() -> Callable[[Sequence[str]], NoReturn]:
    """The program that `scaffold` runs; a test module may override it."""
    return main


@pytest.fixture
def scaffold(
    here: Path,
    program: Callable[[Sequence[str]], NoReturn],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Scaffold:
    """The command line, run in this process in the folder `here`, printing to a pipe."""
    for name in ("NO_COLOR", "FORCE_COLOR", "SCAFFOLD_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")  # Regardless of the terminal of the tests.

    def run(*words: str) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            program(words)
        printed = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return Outcome(left.value.code, printed.out, printed.err)

    return run


@pytest.fixture
def harmless(scaffold: Scaffold, tmp_path: Path) -> Scaffold:
    """The command line, which must change nothing in and around `here`."""

    def run(*words: str) -> Outcome:
        before = tree(tmp_path)
        outcome = scaffold(*words)
        assert tree(tmp_path) == before
        return outcome

    return run


@pytest.fixture
def refused(harmless: Scaffold) -> Callable[..., tuple[int, str]]:
    """The command line, which must only print an error: its code and text."""

    def run(*words: str) -> tuple[int, str]:
        outcome = harmless(*words)
        assert outcome.out == ""
        return outcome.code, outcome.err

    return run
