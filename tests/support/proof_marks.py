"""Tests that are proofs aren't run again while nothing that they depend on has changed.

A test marked `proof` depends on its module and on the files that the mark names, beside what every
proof in a `tools.proof_store` depends on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tools.proof_store import ProofStore, content, key

# A pattern below the root, or a function that gives files by the parameters of the test.
Files = str | Callable[..., Iterable[Path]]


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
        files = [content(path) for path in (item.path, *paths)]
        every = item.config.getoption("--every-backend")
        what = f"{item.nodeid} on every backend" if every else item.nodeid
        return key(what, files, str(parameters.get("backend", "tensorflow")))

    def _paths(self, files: Files, parameters: Mapping[str, Any]) -> Iterable[Path]:
        return sorted(self.root.glob(files)) if isinstance(files, str) else files(**parameters)
