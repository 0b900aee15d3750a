"""A command line to call in-process, in its own folder."""

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

from scaffold.cli import main
from tools.examples.verify.steps import QUICK, threads
from tools.warm import warm_python

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

_HERE = Path(__file__).parent
_GOLDENS = (_HERE / "goldens", _HERE / "models/goldens")
_SCHEMA = json.loads((_HERE.parent / "docs/answer.schema.json").read_text("utf-8"))
Tree = Mapping[str, tuple[int, bytes]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of `make sweep`."""
    parser.addoption(
        "--every-backend",
        action="store_true",
        help="try each layer of Keras and KerasHub and each model on every backend, not on one",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make XLA compile quickly, and keep what JAX compiles for the other processes of the run.

    In a test, JAX mostly compiles what then runs once, on a few numbers.
    """
    if hasattr(
        config, "workerinput"
    ):  # It inherits the environment of the process that started it.
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


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the goldens' own tests to processes of each backend, unless they are requested."""
    requested = any("goldens" in argument for argument in config.args)
    return True if collection_path in _GOLDENS and not requested else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended, and all that it printed."""

    code: int
    out: str
    err: str

    def answer(self) -> Any:
        """Return what was printed as JSON, checked against the shape of every answer."""
        answer = json.loads(self.out)
        jsonschema.validate(answer, _SCHEMA, jsonschema.Draft202012Validator)
        assert self.err == ""
        assert answer["ok"] == (self.code == 0)
        if not answer["ok"]:
            assert self.code == (answer["error"]["exit_code"] if answer["error"] else 1)
        return answer


class Scaffold(Protocol):
    """Runs the command line with these words."""

    def __call__(self, *words: str) -> Outcome: ...


def tree(folder: Path) -> Tree:
    """Return everything below a folder, by name: its mode, and its bytes or a link's target."""
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
    """Interpreters that live as long as the session: importing Keras takes seconds."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def of(backend: str, one_dnn: str = "") -> str:
            variables = {"TF_ENABLE_ONEDNN_OPTS": one_dnn} if one_dnn else {}
            return stack.enter_context(warm_python([backend], variables))

        yield of


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty folder `project`, which is the current one."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def program() -> Callable[[Sequence[str]], NoReturn]:
    """The function that `scaffold` runs; a test module may have another."""
    return main


@pytest.fixture
def scaffold(
    here: Path,
    program: Callable[[Sequence[str]], NoReturn],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Scaffold:
    """The command line, run in this process in the folder `here`, printing into a pipe."""
    for name in ("NO_COLOR", "FORCE_COLOR", "SCAFFOLD_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(
        "COLUMNS", "80"
    )  # Independent of the terminal that the tests are started in.

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
    """The command line, where it must leave everything in and around `here` as it is."""

    def run(*words: str) -> Outcome:
        before = tree(tmp_path)
        outcome = scaffold(*words)
        assert tree(tmp_path) == before
        return outcome

    return run


@pytest.fixture
def refused(harmless: Scaffold) -> Callable[..., tuple[int, str]]:
    """The command line, where it must write and print nothing but the reason: code, text."""

    def run(*words: str) -> tuple[int, str]:
        outcome = harmless(*words)
        assert outcome.out == ""
        return outcome.code, outcome.err

    return run
