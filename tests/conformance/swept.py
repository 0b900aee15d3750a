"""What the checks find in a class of a library, from a long-lived process of a backend."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from conformance.sweep import jobs
from scaffold.conformance.backends import environment
from scaffold.conformance.finding import Outcome
from scaffold.conformance.process.channel import Channel

_TESTS = Path(__file__).parent.parent
_SECONDS = 300.0


class Sweep:
    """A process of one backend that checks one class after another.

    Args:
        library: The library of the classes.
        backend: The backend.
    """

    _running: Sweep | None = None

    @classmethod
    def of(cls, library: str, backend: str) -> Sweep:
        """Return the running process if it fits, else a new one: there is one at a time."""
        wanted = (library, backend)
        if cls._running is None or cls._running.name != wanted or not cls._running.lives:
            cls.end()
            cls._running = cls(library, backend)
        return cls._running

    @classmethod
    def end(cls) -> None:
        """End the running process, if any."""
        if cls._running is not None:
            cls._running._process.kill()
            cls._running._process.communicate()
            cls._running._folder.cleanup()
            cls._running = None

    def __init__(self, library: str, backend: str) -> None:
        self.name = (library, backend)
        path = os.pathsep.join([str(_TESTS), str(_TESTS.parent)])
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "conformance.sweep", library],
            env={**environment(backend, Path(self._folder.name)), "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._channel = Channel(self._process.stdout, self._process.stdin)

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def outcomes(self, name: str) -> list[Outcome]:
        """Return the outcomes of all checks for all cases of a class."""
        library, backend = self.name
        watch = threading.Timer(_SECONDS * len(jobs(library, name)), self._process.kill)
        watch.start()
        try:
            self._channel.send(name)
            answer = self._channel.receive()
        finally:
            watch.cancel()
        ended = f"{name} on {backend} ended the process with {self._process.poll()}"
        assert answer is not None, ended
        return [Outcome.from_data(outcome) for outcome in answer]
