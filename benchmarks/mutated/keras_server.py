"""`python keras_server.py SOCKET`: runs scripts in forks of itself, which have Keras already."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import traceback
from pathlib import Path

import keras  # noqa: F401 - what this is for
import numpy  # noqa: F401

IDLE = 120.0


def answer(asked: socket.socket) -> None:
    """Run the script that is asked for, and say how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    wanted = json.loads(asked.makefile().readline())
    process = os.fork()
    if process == 0:
        try:
            os.chdir(wanted["folder"])
            os.environ.clear()
            os.environ.update(wanted["environment"])
            sys.path[:0] = ["", *wanted["environment"]["PYTHONPATH"].split(os.pathsep)]
            exec(wanted["script"], {"__name__": "__main__"})  # noqa: S102 - a test's own
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(process, 0)
    asked.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def main(path: Path) -> None:
    """Answer until nobody has asked for a while."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    server = socket.socket(socket.AF_UNIX)
    server.settimeout(IDLE)
    server.bind(str(path.with_suffix(".new")))
    server.listen()
    path.with_suffix(".new").rename(path)
    try:
        while True:
            asked, _ = server.accept()
            if os.fork() == 0:
                answer(asked)
                os._exit(0)
            asked.close()
    except TimeoutError:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
