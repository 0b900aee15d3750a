"""The child process in which the user's code runs: one backend, all classes."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scaffold.conformance.finding import Finding, Outcome, Status, Where
from scaffold.conformance.finding_cases import cases_of
from scaffold.conformance.process.channel import Channel
from scaffold.conformance.process.classes import classes_in
from scaffold.conformance.process.fresh import FreshProcess
from scaffold.conformance.process.targets import Module
from scaffold.conformance.registry import Check, find, with_needed
from scaffold.conformance.runner import FORGET_AFTER, forget, run
from scaffold.conformance.subject import Subject
from scaffold.errors import ScaffoldError, UsageError

_GIB = 1 << 30
_FRESH = "loads-in-fresh-process"


def main() -> None:
    """Do the job that the parent sends."""
    channel = Channel.of_this_process()
    job = channel.receive()
    modules = [
        Module(module["name"], module["folder"], tuple(module["classes"]))
        for module in job["modules"]
    ]
    _limit(job["memory"])
    sys.path[:0] = dict.fromkeys(module.folder for module in modules)
    worker = _Worker(channel, job, with_needed(map(find, job["checks"])))
    with contextlib.ExitStack() as stack:
        if any(check.id == _FRESH for check in worker.checks):
            worker.fresh = stack.enter_context(FreshProcess(_backend(), sys.path))
        try:
            worker.work(modules)
        except ScaffoldError as error:
            channel.send({"kind": "usage", "message": error.message, "fix": error.fix})
        channel.send({"kind": "end"})


def _backend() -> str:
    import os

    return os.environ["KERAS_BACKEND"]


def _limit(memory: float) -> None:
    """Limit this process to `memory` GiB, if the system supports it."""
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = int(memory * _GIB)
    resource.setrlimit(resource.RLIMIT_DATA, (most if hard < 0 else min(most, hard), hard))


class _Worker:
    def __init__(self, channel: Channel, job: Mapping[str, Any], checks: list[Check]) -> None:
        self.channel = channel
        self.job = job
        self.checks = checks
        self.fresh: FreshProcess | None = None
        self.has_reported = bool(job["known"])

    def work(self, modules: list[Module]) -> None:
        classes = ((cls, module) for module in modules for cls in self._classes(module))
        for number, (cls, module) in enumerate(classes, start=1):
            self._check(cls, Path(module.folder))
            if number % FORGET_AFTER == 0:
                forget()
        if not self.has_reported and not self.job["allow_empty"]:
            names = ", ".join(module.name for module in modules)
            raise UsageError(
                f"no layer or model found in {names}",
                fix="Define a class at the top level of a module, without a leading underscore",
            )

    def _classes(self, module: Module) -> Iterator[type]:
        """Yield the classes of a module; report an import that fails as an outcome."""
        failed = {"subject": module.name, "case": "", "check": "imports", "status": "failed"}
        if failed in self.job["known"]:
            return
        self._start(module.name, "", "imports")
        try:
            loaded = importlib.import_module(module.name)
        except (Exception, SystemExit) as error:
            self._report(_not_imported(module.name, error))
            return
        yield from classes_in(loaded, module.classes)

    def _check(self, cls: Any, folder: Path) -> None:
        self._start(f"{cls.__module__}:{cls.__qualname__}", "", "constructs")
        for case, origin in cases_of(cls, self.job["case"], folder):
            subject = Subject(cls, case, self.fresh)
            subject.exchange = self.job["exchange"] and Path(self.job["exchange"])
            name, text = subject.name, str(case)
            if origin:
                self.channel.send({"kind": "note", "subject": name, "text": origin})
            known = self._statuses(name, text)

            def starting(check: Check, name: str = name, text: str = text) -> None:
                self._start(name, text, check.id)

            for outcome in run(subject, self.checks, starting=starting, known=known):
                self._report(outcome)

    def _start(self, subject: str, case: str, check: str) -> None:
        at = {"subject": subject, "case": case, "check": check}
        self.channel.send({"kind": "start", "at": at})

    def _report(self, outcome: Outcome) -> None:
        self.has_reported = True
        self.channel.send({"kind": "outcome", "outcome": dataclasses.asdict(outcome)})

    def _statuses(self, subject: str, case: str) -> dict[str, Status]:
        return {
            seen["check"]: seen["status"]
            for seen in self.job["known"]
            if (seen["subject"], seen["case"]) == (subject, case)
        }


def _not_imported(module: str, error: BaseException) -> Outcome:
    last = traceback.extract_tb(error.__traceback__)[-1]
    inside = "importlib" in last.filename
    where = Where(last.filename, last.lineno) if last.lineno and not inside else None
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        where = Where(error.filename, error.lineno)
    got = f"{type(error).__name__}: {error}".strip(": ")
    finding = Finding("an importable module", got, where)
    return Outcome(module, "", _backend(), "imports", "failed", (finding,))


if __name__ == "__main__":
    main()
