"""Runs checks on targets: a child process per backend does the work, this one supervises it."""

from __future__ import annotations

import dataclasses
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scaffold.conformance.backends import environment
from scaffold.conformance.finding import Finding, Outcome, Where
from scaffold.conformance.process.channel import Channel
from scaffold.conformance.process.targets import Module, modules_of
from scaffold.errors import UsageError
from scaffold.processes import kill_group

_POSIX = os.name == "posix"


@dataclass(frozen=True)
class Request:
    """What to check.

    Args:
        targets: `file.py:Class`, `file.py`, `module:Class`, `module` or folders.
        args: Constructor arguments; `None` to find them.
        inputs: Inputs of `call`: an `Input`, or lists and dicts of them; `None` to find them.
        tags: Declared departures from the contract.
        backends: The backends, one process each.
        checks: Ids of the checks to report.
        timeout: Maximum time per check, in seconds.
        memory: Memory limit of a process in GiB, if the system can enforce it.
        allow_empty: Whether to accept targets without a layer or model.
    """

    targets: tuple[str, ...]
    backends: tuple[str, ...]
    checks: tuple[str, ...]
    args: Mapping[str, Any] | None = None
    inputs: Any = None
    tags: frozenset[str] = frozenset()
    timeout: float = 120.0
    memory: float = 8.0
    allow_empty: bool = False


@dataclass(frozen=True)
class Note:
    """An automatic decision: where a case comes from, what was tried."""

    subject: str
    text: str


Starting = Callable[[str, str], None]


def run_session(
    request: Request, starting: Starting = lambda subject, check: None
) -> Generator[Outcome | Note]:
    """Yield the outcome of each check for each class, case and backend, as it ends.

    Args:
        request: What to check.
        starting: Called with the class and the id of a check before it runs.

    Raises:
        UsageError: If a target is invalid or contains no layer or model.
        MissingError: If a target is not found.
    """
    modules = modules_of(request.targets, allow_empty=request.allow_empty)
    if not modules:
        return
    with tempfile.TemporaryDirectory(
        prefix="scaffold-check-", ignore_cleanup_errors=True
    ) as folder:
        for backend in request.backends:
            yield from _Watch(request, modules, backend, Path(folder), starting).events()


@dataclass
class _Watch:
    """The child of one backend, restarted after each check that it does not survive."""

    request: Request
    modules: list[Module]
    backend: str
    folder: Path
    starting: Starting
    known: list[dict[str, Any]] = field(default_factory=list)
    said: set[Note] = field(default_factory=set)
    at: dict[str, str] = field(default_factory=dict)

    def events(self) -> Iterator[Outcome | Note]:
        ended = False
        while not ended:
            self.at = {}
            with _Worker(self.backend, self._job(), self.folder) as worker:
                for message in worker.messages(self.request.timeout):
                    ended = message["kind"] == "end"
                    yield from self._event(message)
                lost = "" if ended else worker.end()
                log = worker.log() if lost else []
            if lost:
                outcome = self._lost(lost, log)
                self._remember(outcome)
                yield from self._reported(outcome)

    def _event(self, message: Mapping[str, Any]) -> Iterator[Outcome | Note]:
        match message:
            case {"kind": "start", "at": at}:
                self.at = at
                self.starting(at["subject"], at["check"])
            case {"kind": "note", "subject": subject, "text": text}:
                note = Note(subject, text)
                if note not in self.said:
                    self.said.add(note)
                    yield note
            case {"kind": "outcome", "outcome": data}:
                outcome = Outcome.from_data(data)
                self._remember(outcome)
                yield from self._reported(outcome)
            case {"kind": "usage", "message": text, "fix": fix}:
                raise UsageError(text, fix=fix)

    def _reported(self, outcome: Outcome) -> Iterator[Outcome]:
        if outcome.check in self.request.checks or outcome.check == "imports":
            yield outcome

    def _remember(self, outcome: Outcome) -> None:
        keys = ("subject", "case", "check", "status")
        self.known.append({key: getattr(outcome, key) for key in keys})

    def _lost(self, got: str, log: list[str]) -> Outcome:
        """Return the outcome of the check that ended the child."""
        if not self.at:
            raise UsageError(
                f"the {self.backend} backend did not start: {[got, *log][-1]}",
                fix=f'Try `KERAS_BACKEND={self.backend} python -c "import keras"`',
            )
        finding = Finding("the process to survive", got, self._where(log))
        subject, case, check = self.at["subject"], self.at["case"], self.at["check"]
        return Outcome(subject, case, self.backend, check, "failed", (finding,))

    def _where(self, log: list[str]) -> Where | None:
        """Return the deepest line of the user's code in a dump of the child's stack."""
        folders = tuple(module.folder for module in self.modules)
        for path, line in re.findall(
            r'^  File "(.+)", line (\d+) in ', "\n".join(log), re.MULTILINE
        ):
            if path.startswith(folders) and "site-packages" not in path:
                return Where(path, int(line))
        return None

    def _job(self) -> dict[str, Any]:
        request = self.request
        inputs = _plain(request.inputs)
        case = {"args": request.args, "input": inputs, "tags": sorted(request.tags)}
        return {
            "modules": [dataclasses.asdict(module) for module in self.modules],
            "case": {key: value for key, value in case.items() if value},
            "checks": list(request.checks),
            "memory": request.memory,
            "allow_empty": request.allow_empty,
            "known": self.known,
            "exchange": str(self.folder) if len(request.backends) > 1 else None,
        }


def _plain(structure: Any) -> Any:
    from scaffold.cases import map_inputs

    return map_inputs(dataclasses.asdict, structure)


class _Worker:
    """One child process and its messages."""

    def __init__(self, backend: str, job: Mapping[str, Any], folder: Path) -> None:
        self._log = (folder / "log").open("w+", encoding="utf-8", errors="replace")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "scaffold.conformance.process.worker"],
            env={
                **environment(backend, folder),
                "PYTHONFAULTHANDLER": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
                "TMPDIR": str(folder),
                "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            start_new_session=_POSIX,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._channel = Channel(self._process.stdout, self._process.stdin)
        self._channel.send(job)
        self._said: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._late = ""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while (message := self._channel.receive()) is not None:
            self._said.put(message)
        self._said.put(None)

    def messages(self, timeout: float) -> Iterator[Mapping[str, Any]]:
        """Yield its messages until it ends or sends nothing for `timeout` seconds."""
        while True:
            try:
                message = self._said.get(timeout=timeout)
            except queue.Empty:
                self._late = f"no result within {timeout:g} s"
                return
            if message is None:
                return
            yield message

    def end(self) -> str:
        """Return how it ended without reporting that it was done."""
        if self._late:
            if _POSIX:
                self._process.send_signal(signal.SIGABRT)  # faulthandler writes where it was
                self._process.wait()
            return self._late
        code = self._process.wait()
        return f"termination by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def log(self) -> list[str]:
        """Return what it has printed so far, line by line."""
        self._log.flush()
        self._log.seek(0)
        return self._log.read().splitlines()

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *error: object) -> None:
        kill_group(self._process.pid)
        self._process.kill()
        self._process.communicate()
        self._log.close()
