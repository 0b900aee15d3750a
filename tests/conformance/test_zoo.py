"""Each seeded defect is found by its check and by no wrong one; nothing is found in clean classes.

All checks run on every class on Torch, the quickest, and on the others on what Torch doesn't show;
with `--every-backend`, on all classes everywhere.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.table import CHECKS
from conformance.zoo.entry import BACKENDS, HERE, Entry, entries
from scaffold.conformance import checks

fcntl = pytest.importorskip("fcntl", reason="there are no POSIX locks here")

Said = dict[str, Any]
LONGEST = 30


def shown_on(backend: str, every: bool) -> list[Entry]:
    """Return the classes that are checked on a backend."""
    return [
        entry
        for entry in entries()
        if backend in entry.backends
        and (every or backend == "torch" or "torch" not in (entry.on or entry.backends))
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-backend")
        cases = [
            pytest.param(backend, entry, id=f"{entry.name}-{backend}")
            for backend in BACKENDS
            for entry in shown_on(backend, every)
        ]
        metafunc.parametrize(("backend", "entry"), cases)


@pytest.fixture(scope="session")
def said(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Callable[[str], Said]:
    """Return what all checks find in the zoo on a backend; pytest's processes share one run."""
    folder = tmp_path_factory.getbasetemp()
    every = pytestconfig.getoption("--every-backend")
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent

    def of(backend: str) -> Said:
        results = folder / f"zoo-{backend}.json"
        with (folder / f"zoo-{backend}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not results.exists():
                _run(backend, results, *(entry.name for entry in shown_on(backend, every)))
        found: Said = json.loads(results.read_text("utf-8"))
        return found

    return of


def _run(backend: str, results: Path, *options: str) -> None:
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(HERE.parents[1])}
    words = [sys.executable, "-m", "conformance.zoo.run", str(results), *options]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def expected(entry: Entry, backend: str) -> set[str]:
    return {entry.check} if backend in entry.on else set()


@pytest.mark.proof(*CHECKS)
def test_found_by_the_right_check(backend: str, entry: Entry, said: Callable[[str], Said]) -> None:
    result = said(backend)[entry.name]
    missing = expected(entry, backend) - set(result["findings"])
    assert not missing, result["statuses"]


@pytest.mark.proof(*CHECKS)
def test_found_by_no_wrong_check(backend: str, entry: Entry, said: Callable[[str], Said]) -> None:
    may = expected(entry, backend) | set(entry.also)
    wrong = {
        id_: findings
        for id_, findings in said(backend)[entry.name]["findings"].items()
        if id_ not in may
    }
    assert wrong == {}


def test_names_checks_that_there_are() -> None:
    named = {id_ for entry in entries() for id_ in (entry.check, *entry.also)} - {""}
    assert named <= {check.id for check in checks()}


def test_is_large_and_various() -> None:
    seeded = [entry for entry in entries() if entry.check]
    assert len(seeded) >= 66
    assert sum(entry.silent for entry in seeded) > len(seeded) / 2
    assert len({entry.name for entry in entries()}) == len(entries())


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_says_its_defect_in_a_sentence(entry: Entry) -> None:
    assert entry.text.endswith(".")
    assert len(entry.defect.split()) <= LONGEST
