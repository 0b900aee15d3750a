"""Finds most mutants by the first few tests, and imports Keras once for all fresh processes."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from mutmut.state import state

_HERE = Path(__file__).parent
_FINDERS = _HERE / "finders.txt"
_SOCKET = _HERE / "keras.socket"
_run = subprocess.run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the tests first that found other mutants of the function, and the quick ones.

    mutmut hands them over in any order.
    """
    lines = _FINDERS.read_text().splitlines() if _FINDERS.exists() else []
    function, seconds = f"{_function()} ", state().duration_by_test
    here = Counter(line.removeprefix(function) for line in lines if line.startswith(function))
    items.sort(key=lambda item: (-here[item.nodeid], seconds.get(item.nodeid, 0.0)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what finds a mutant."""
    if report.failed:
        with _FINDERS.open("a") as file:
            file.write(f"{_function()} {report.nodeid}\n")


def _function() -> str:
    """The name of the function of which a mutant is under test."""
    return os.environ.get("MUTANT_UNDER_TEST", "").rpartition("__mutmut_")[0]


def _run_with_keras(words: list[str], **options: Any) -> Any:
    """Run a script in a fork of a process that has imported Keras, and nothing else."""
    if words[:2] != [sys.executable, "-c"] or "import keras" not in words[2]:
        return _run(words, **options)
    asked = {"script": words[2], "folder": str(options["cwd"]), "environment": options["env"]}
    with _server() as server:
        server.sendall(json.dumps(asked).encode() + b"\n")
        code = int(server.makefile().readline())
    if code:
        raise subprocess.CalledProcessError(code, words)
    return subprocess.CompletedProcess(words, code)


def _server() -> socket.socket:
    with (_HERE / "keras.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _SOCKET.exists():
            words = [sys.executable, str(_HERE / "keras_server.py"), str(_SOCKET)]
            subprocess.Popen(words, cwd=_HERE, start_new_session=True)
            while not _SOCKET.exists():
                time.sleep(0.05)
    server = socket.socket(socket.AF_UNIX)
    server.connect(str(_SOCKET))
    return server


subprocess.run = _run_with_keras  # type: ignore[assignment]
