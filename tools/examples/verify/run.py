"""Runs all units, some at a time, and yields results as they arrive."""

from __future__ import annotations

import itertools
import queue
import shutil
import tempfile
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools.examples.build import Built
from tools.examples.verify import results
from tools.examples.verify.result import SOURCE, Result, Step
from tools.examples.verify.source import up_to_date, well_formed
from tools.examples.verify.steps import STEPS, Run, Setting, take, threads
from tools.proof_store import ProofStore, key, stores
from tools.warm import warm_python

Unit = tuple[Built, str]


@dataclass(frozen=True)
class Asked:
    """How to verify.

    Args:
        backends: The backends.
        device: `cpu` or `gpu`.
        jobs: The number of units to run at a time.
        timeout: The time limit of a step, in seconds.
        again: Whether to run unchanged units again.
        by_turn: Whether to run each example on only one of the backends.
    """

    backends: Sequence[str]
    device: str = "cpu"
    jobs: int = 1
    timeout: float = 600.0
    again: bool = False
    by_turn: bool = False

    def units(self, examples: Sequence[Built]) -> list[Unit]:
        """Return each example with each of its backends."""
        if self.by_turn:
            return [*zip(examples, itertools.cycle(self.backends), strict=False)]
        return [(built, backend) for built in examples for backend in self.backends]


@dataclass(frozen=True)
class Started:
    """A step has started."""

    example: str
    backend: str
    step: str


@dataclass(frozen=True)
class Known:
    """A unit has not changed since this result."""

    result: Result


Event = Started | Known | Result


def verify(examples: Sequence[Built], asked: Asked) -> Generator[Event]:
    """Yield the events of each unit as they arrive, and store results for the next run."""
    for result in _sources(examples, asked.device):
        results.keep(result)
        yield result
    store, rest = ProofStore(stores()), []
    for built, backend in asked.units(examples):
        found = None if asked.again else _known(built, backend, asked.device, store)
        if found:
            yield Known(found)
        else:
            rest.append((built, backend))
    if rest:
        for event in run_all(rest, asked, STEPS):
            if isinstance(event, Result):
                results.keep(event)
                if event.proved:
                    store.add(*_proof(event))
            yield event


def _known(built: Built, backend: str, device: str, store: ProofStore) -> Result | None:
    """Return the result of a unit that passed and has not changed since."""
    digest = results.digest(built, backend, device)
    found = results.known(built.example.name, backend, device)
    if found and found.proved and found.digest == digest:
        return found
    elsewhere = Result(built.example.name, backend, device, digest, ())
    return elsewhere if store.take(*_proof(elsewhere)) else None


def _proof(result: Result) -> tuple[str, str]:
    what = f"example {result.example} on {result.backend}, {result.device}"
    return key(what, [result.digest], result.backend), what


def _sources(examples: Sequence[Built], device: str) -> list[Result]:
    formed = well_formed(examples)
    return [
        Result(
            built.example.name,
            SOURCE,
            device,
            results.digest(built, SOURCE, device),
            (up_to_date(built), *formed[built.example.name]),
        )
        for built in examples
    ]


def run_all(units: Sequence[Unit], asked: Asked, steps: Sequence[Run]) -> Generator[Event]:
    """Run the steps of each unit, some units at a time."""
    events: queue.SimpleQueue[Event | BaseException] = queue.SimpleQueue()
    stopped = threading.Event()
    backends = sorted({backend for _, backend in units})
    with (
        tempfile.TemporaryDirectory(prefix="examples-", ignore_cleanup_errors=True) as scratch,
        # A fork shares what its server has opened, and a GPU can't be shared like that.
        warm_python(backends if asked.device == "cpu" else (), threads(asked.jobs)) as python,
        ThreadPoolExecutor(asked.jobs) as pool,
    ):
        worker = _Worker(python, Path(scratch), asked, steps, events.put, stopped)
        futures = [pool.submit(worker.run, built, backend) for built, backend in units]
        try:
            for _ in units:
                while isinstance(event := events.get(), Started):
                    yield event
                if isinstance(event, BaseException):
                    raise event
                yield event
        finally:
            stopped.set()
            for future in futures:
                future.cancel()


@dataclass(frozen=True)
class _Worker:
    python: str
    scratch: Path
    asked: Asked
    steps: Sequence[Run]
    tell: Callable[[Event | BaseException], None]
    stopped: threading.Event

    def run(self, built: Built, backend: str) -> None:
        """Run the steps of a unit, up to the first that fails, and report the result."""
        try:
            self.tell(self._result(built, backend))
        except BaseException as error:  # The waiting thread raises it.
            self.tell(error)

    def _result(self, built: Built, backend: str) -> Result:
        name, device = built.example.name, self.asked.device
        setting = self._setting(name, backend)
        for file, content in built.files.items():
            (setting.folder / file).write_bytes(content)
        taken: list[Step] = []
        for step in self.steps:
            if self.stopped.is_set() or any(one.status != "passed" for one in taken):
                taken.append(Step(step.__name__, "not run"))
                continue
            self.tell(Started(name, backend, step.__name__))
            taken.append(take(step, built, setting))
        shutil.rmtree(setting.folder, ignore_errors=True)
        digest = results.digest(built, backend, device)
        return Result(name, backend, device, digest, tuple(taken))

    def _setting(self, name: str, backend: str) -> Setting:
        folder = self.scratch / backend / name
        folder.mkdir(parents=True)
        asked, compiled = self.asked, self.scratch / "compiled"
        where = (self.python, folder, backend, asked.device)
        return Setting(*where, asked.timeout, compiled, asked.jobs)
