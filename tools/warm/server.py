"""The server: it has imported Keras, and forks for each requested process.

    python -m tools.warm.server ADDRESS

It ends when its standard input is closed; a fork ends when its client disconnects.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from scaffold.processes import kill_group
from tools.warm.process import run

# Other imports of the examples; if one is missing, the verification reports it.
_ALSO = ("numpy", "pytest", "sklearn.datasets", "sklearn.model_selection", "matplotlib.figure")


def main() -> None:
    """Serve until standard input ends; in a fork, become the requested process."""
    address = Path(sys.argv[1])
    _import()
    gc.collect()
    gc.freeze()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(address.with_suffix(".new")))
    listening.listen(64)
    server = _Server(listening)
    address.with_suffix(".new").rename(address)
    asked = server.serve()
    if asked is not None:
        run(*asked)


def _import() -> None:
    import importlib

    importlib.import_module("keras")
    for name in _ALSO:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


class _Server:
    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._children: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._woken, self._wakes = socket.socketpair()

    def serve(self) -> tuple[dict[str, Any], list[int]] | None:
        """Serve requests; return only in a fork, with its request."""
        self._wakes.setblocking(False)
        self._woken.setblocking(False)
        signal.set_wakeup_fd(self._wakes.fileno())
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self._watch(sys.stdin.fileno(), self._end)
        self._watch(self._listening, self._accept)
        self._watch(self._woken, self._reap)
        while True:
            for key, _ in self._selector.select():
                act: Callable[[], Any] = key.data
                if (asked := act()) is not None:
                    return asked  # type: ignore[no-any-return]

    def _watch(self, file: Any, act: Callable[[], Any]) -> None:
        self._selector.register(file, selectors.EVENT_READ, act)

    def _end(self) -> NoReturn:
        for pid in self._children:
            kill_group(pid)
        os._exit(0)

    def _accept(self) -> tuple[dict[str, Any], list[int]] | None:
        client, _ = self._listening.accept()
        received = socket.recv_fds(client, 8, 3)
        head, streams = received[0], received[1]
        asked = b""
        while len(asked) < int.from_bytes(head, "big") and (more := client.recv(1 << 16)):
            asked += more
        pid = os.fork()
        if pid == 0:
            self._forget(client)
            return json.loads(asked), streams
        for stream in streams:
            os.close(stream)
        self._children[pid] = client
        self._watch(client, lambda: self._left(pid, client))
        return None

    def _left(self, pid: int, client: socket.socket) -> None:
        """End the process of a client that is gone; `_reap` does the rest."""
        self._selector.unregister(client)
        kill_group(pid)

    def _reap(self) -> None:
        """Report the exit code of each child that has ended."""
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(1 << 12)
        for pid, client in [*self._children.items()]:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._children[pid]
                with contextlib.suppress(KeyError):
                    self._selector.unregister(client)
                with contextlib.suppress(OSError):
                    code = os.waitstatus_to_exitcode(status)
                    client.sendall(code.to_bytes(4, "big", signed=True))
                client.close()
                # Also end what it has left running.
                kill_group(pid)

    def _forget(self, client: socket.socket) -> None:
        """Release everything of the server, in a fork."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for one in (self._listening, self._woken, self._wakes, client, *self._children.values()):
            one.close()


if __name__ == "__main__":
    main()
