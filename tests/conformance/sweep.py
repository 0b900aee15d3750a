"""Runs the checks over a table of cases, on one backend in one process.

`python -m conformance.sweep keras --store FILE --shard 0/4` runs a part of a table and stores the
outcomes, one line for each check of each case. What is already there and has not changed since is
not run again, so a sweep can be interrupted and resumed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from scaffold.cases import Case
from scaffold.conformance.finding import Outcome
from scaffold.conformance.process.channel import Channel
from scaffold.conformance.process.fresh import FreshProcess
from scaffold.conformance.registry import Check, checks
from scaffold.conformance.runner import FORGET_AFTER, forget, run
from scaffold.conformance.subject import Subject

LIBRARIES = ("keras", "keras_hub")
_CONFORMANCE = Path(importlib.import_module("scaffold.conformance").__file__ or "").parent


@dataclass(frozen=True)
class Job:
    """A class of a library in one of its cases."""

    library: str
    name: str
    case: Case

    @property
    def cls(self) -> Any:
        return getattr(importlib.import_module(f"{self.library}.layers"), self.name)

    @property
    def key(self) -> str:
        return f"{self.library}.{self.name}[{self.case}]"


def jobs(library: str, names: Iterable[str] = ()) -> list[Job]:
    """Return all cases of a library, or those of some of its classes.

    Args:
        library: `keras` or `keras_hub`.
        names: The classes.
    """
    table = importlib.import_module(f"conformance.{library}_cases").CASES
    chosen = list(names) or list(table)
    return [Job(library, name, case) for name in chosen for case in table[name]]


class Store:
    """Outcomes of checks, by case and check, in a file that only grows.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[tuple[str, str], tuple[str, Outcome]] = {}
        for line in path.read_text("utf-8").splitlines() if path.exists() else ():
            kept = json.loads(line)
            outcome = Outcome.from_data(kept["outcome"])
            self._known[kept["key"], outcome.check] = kept["fingerprint"], outcome

    def known(self, job: Job, chosen: Iterable[Check]) -> dict[str, Outcome]:
        """Return the known outcomes of a job, for checks that have not changed since."""
        found = {check: self._known.get((job.key, check.id)) for check in chosen}
        return {
            check.id: kept[1] for check, kept in found.items() if kept and kept[0] == _mark(check)
        }

    def add(self, job: Job, check: Check, outcome: Outcome) -> None:
        """Store the outcome of a check."""
        kept = {"key": job.key, "fingerprint": _mark(check), "outcome": asdict(outcome)}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(kept) + "\n")


def _mark(check: Check) -> str:
    return _digest(f"families/{check.family}.py")


@cache
def _digest(name: str) -> str:
    core = ("subject.py", "runner.py", "case.py", name)
    return hashlib.sha256(b"".join((_CONFORMANCE / part).read_bytes() for part in core)).hexdigest()


def outcomes(
    job: Job, fresh: FreshProcess, known: dict[str, Outcome] | None = None
) -> Iterator[Outcome]:
    """Yield the outcome of each check that is not `known`, as it ends."""
    statuses = {id_: outcome.status for id_, outcome in (known or {}).items()}
    yield from run(Subject(job.cls, job.case, fresh), checks(), known=statuses)


def main() -> None:
    """Run a part of a table, or what the parent process requests."""
    parser = argparse.ArgumentParser()
    parser.add_argument("library", choices=LIBRARIES)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--store", type=Path)
    parser.add_argument("--shard", default="0/1")
    given = parser.parse_args()
    if given.store is None:
        _serve(given.library)
        return
    index, number = map(int, given.shard.split("/"))
    _fill(Store(given.store), jobs(given.library, given.names)[index::number])


def _fill(store: Store, chosen: Iterable[Job]) -> None:
    by_id = {check.id: check for check in checks()}
    with _fresh() as fresh:
        for job in chosen:
            known = store.known(job, by_id.values())
            for outcome in outcomes(job, fresh, known):
                store.add(job, by_id[outcome.check], outcome)
                if outcome.status == "failed":
                    print(job.key, outcome.check, *outcome.findings, sep="\n  ", flush=True)


def _serve(library: str) -> None:
    channel = Channel.of_this_process()
    with _fresh() as fresh:
        for number, name in enumerate(iter(channel.receive, None), start=1):
            found = (outcome for job in jobs(library, [name]) for outcome in outcomes(job, fresh))
            channel.send([asdict(outcome) for outcome in found])
            if number % FORGET_AFTER == 0:
                forget()


def _fresh() -> FreshProcess:
    return FreshProcess(os.environ["KERAS_BACKEND"], sys.path)


if __name__ == "__main__":
    main()
