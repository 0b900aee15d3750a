"""Tests that are proofs aren't run again while nothing that they depend on has changed.

A test marked `proof` depends on its module, the files that the mark names, the installed packages
and the processor. A store is a file with a line for each proof; the variable `SCAFFOLD_PROOFS`
names stores: all are read, and the first is written.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import platformdirs
import pytest

VARIABLE = "SCAFFOLD_PROOFS"
# What decides which kernels the backends choose.
_FEATURES = {"avx", "avx2", "fma", "avx512f", "avx512_bf16", "avx_vnni", "amx_bf16"}
_VARIABLES = ("TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS")
_KEY_LENGTH = 32

# A pattern below the root, or a function that gives files by the parameters of the test.
Files = str | Callable[..., Iterable[Path]]


def stores() -> list[Path]:
    """Return the files of `SCAFFOLD_PROOFS`, or the one in the user's cache folder."""
    named = os.environ.get(VARIABLE)
    if named:
        return [Path(name) for name in named.split(os.pathsep)]
    return [platformdirs.user_cache_path("keras-scaffold") / "proofs"]


@dataclass(frozen=True)
class ProofStore:
    """Proofs by their keys.

    Args:
        files: The stores; the first is written.
    """

    files: Sequence[Path]

    @cached_property
    def keys(self) -> set[str]:
        """The keys in all files when they were first read."""
        return {line.split()[0] for file in self.files for line in _lines(file)}

    def copy(self, taken: Mapping[str, str]) -> None:
        """Write down in the first store what was found in the others."""
        there = ProofStore(self.files[:1]).keys
        for key, what in taken.items():
            if key not in there:
                self.add(key, what)

    def add(self, key: str, what: str) -> None:
        """Write a proof down. Several processes may do so at a time."""
        today = datetime.now(UTC).date().isoformat()
        self.files[0].parent.mkdir(parents=True, exist_ok=True)
        with self.files[0].open("a", encoding="utf-8") as file:
            file.write(f"{key} {today} {what}\n")


def _lines(file: Path) -> Iterator[str]:
    try:
        yield from filter(str.strip, file.read_text(encoding="utf-8").splitlines())
    except FileNotFoundError:
        return


@dataclass
class Proofs:
    """A pytest plugin that deselects the tests which the store has a proof of.

    Args:
        root: The folder that patterns of marks are relative to.
        store: The store.
    """

    root: Path
    store: ProofStore
    taken: int = field(default=0, init=False)

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "proof(*files): not run again while nothing has changed")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Function]
    ) -> None:
        keys = {item: key for item in items if (key := self._key(item))}
        proved = {item: key for item, key in keys.items() if key in self.store.keys}
        if proved:
            config.hook.pytest_deselected(items=[*proved])
            items[:] = [item for item in items if item not in proved]
        self.taken = len(proved)
        if getattr(config, "workerinput", {}).get("workerid", "gw0") == "gw0":
            self.store.copy({key: item.nodeid for item, key in proved.items()})

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Function, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.when == "call" and report.passed and (key := self._key(item)):
            self.store.add(key, item.nodeid)
        return report

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(session.config, "workeroutput", {})
        output["proofs_taken"] = self.taken

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.taken = getattr(node, "workeroutput", {}).get("proofs_taken", 0)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.taken:
            where = ", ".join(map(str, self.store.files))
            terminalreporter.write_line(f"{self.taken} proofs taken from {where}")

    def _key(self, item: pytest.Function) -> str | None:
        """The hash of all that a proof depends on; none if the test isn't a proof."""
        mark = item.get_closest_marker("proof")
        if mark is None:
            return None
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        paths = [path for files in mark.args for path in self._paths(files, parameters)]
        depends = {
            "what": item.nodeid,
            "files": [_content(path) for path in (item.path, *paths)],
            "machine": _machine(),
            "variables": _variables(str(parameters.get("backend", "tensorflow"))),
        }
        text = json.dumps(depends, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]

    def _paths(self, files: Files, parameters: Mapping[str, Any]) -> Iterable[Path]:
        return sorted(self.root.glob(files)) if isinstance(files, str) else files(**parameters)


@cache
def _content(path: Path) -> str:
    """A hash of a file, or of all files in a folder with their names."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    found = [
        (file.relative_to(path).as_posix(), _content(file))
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.suffix != ".pyc"
    ]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


@cache
def _machine() -> dict[str, Any]:
    """What a result depends on beside the code: Python, the packages and the processor."""
    return {
        "python": platform.python_version(),
        "packages": sorted(
            f"{one.name}=={one.version}"
            for one in importlib.metadata.distributions()
            if one.name not in ("keras-scaffold", "pip", "setuptools")
        ),
        "processor": [platform.system(), platform.machine(), *_features()],
    }


def _variables(backend: str) -> dict[str, str]:
    names = _VARIABLES if backend == "tensorflow" else _VARIABLES[1:]
    return {name: os.environ.get(name, "") for name in names}


def _features() -> list[str]:
    for line in _lines(Path("/proc/cpuinfo")):
        if line.startswith("flags"):
            return sorted(_FEATURES & {*line.split()})
    return []
