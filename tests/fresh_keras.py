"""Forks of a process that has imported Keras, in place of the fresh processes that tests start.

To import Keras takes seconds, and each generated test file starts a process that does little else:
it loads a model. With `-p fresh_keras` such a script runs in a fork of a server, which knows as
little of the generated class as a fresh process.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_ADDRESS = "KERAS_SERVER"
_run = subprocess.run


@contextlib.contextmanager
def server(backend: str) -> Iterator[Mapping[str, str]]:
    """Have a server while this lasts; it gives what to add to the environment of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        address = Path(folder) / "socket"  # The path of a socket must be short.
        process = subprocess.Popen(
            [sys.executable, __file__, str(address)],
            env={**os.environ, "KERAS_BACKEND": backend},
            stderr=subprocess.DEVNULL,
        )
        try:
            while not address.exists():
                assert process.poll() is None, "Keras could not be imported"
                time.sleep(0.05)
            yield {_ADDRESS: str(address)}
        finally:
            process.kill()
            process.wait()


def run_in_fork(words: Sequence[str], **options: Any) -> subprocess.CompletedProcess[Any]:
    """Stand in for `subprocess.run`, for a script that imports Keras and must succeed."""
    if set(options) != {"cwd", "env", "check"} or "import keras" not in words[-1]:
        return _run(words, **options)
    asked = {"script": words[-1], "folder": str(options["cwd"]), "environment": options["env"]}
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(os.environ[_ADDRESS])
        asking.sendall(json.dumps(asked).encode() + b"\n")
        said = asking.makefile().read()
    if said != "done":
        print(said, file=sys.stderr)
        raise subprocess.CalledProcessError(1, words)
    return subprocess.CompletedProcess(words, 0)


def _answer(asked: socket.socket) -> None:
    """Run the script that is asked for, and say `done` or what went wrong."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    wanted = json.loads(asked.makefile().readline())
    assert wanted["environment"]["KERAS_BACKEND"] == os.environ["KERAS_BACKEND"]
    os.environ.clear()
    os.environ.update(wanted["environment"])
    os.chdir(wanted["folder"])
    sys.path[:0] = ["", *os.environ["PYTHONPATH"].split(os.pathsep)]
    try:
        exec(wanted["script"], {"__name__": "__main__"})
        asked.sendall(b"done")
    except BaseException:
        asked.sendall(traceback.format_exc().encode())


def _serve(address: Path) -> None:
    import keras  # noqa: F401 - what this is for

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(address.with_suffix(".new")))
    listening.listen()
    address.with_suffix(".new").rename(address)
    while True:
        asked, _ = listening.accept()
        if os.fork() == 0:
            try:
                _answer(asked)
            finally:
                os._exit(0)
        asked.close()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
elif _ADDRESS in os.environ:
    subprocess.run = run_in_fork  # type: ignore[assignment]
