"""Messages between two processes over the pipes of the child, out of reach of what it prints."""

from __future__ import annotations

import json
import os
import sys
from typing import IO, Any


class Channel:
    """JSON values, one a line.

    Args:
        reading: Where messages come from.
        writing: Where they go.
    """

    def __init__(self, reading: IO[str], writing: IO[str]) -> None:
        self._reading = reading
        self._writing = writing

    @classmethod
    def of_this_process(cls) -> Channel:
        """The channel to the parent, over what were standard input and output.

        What this process prints goes to standard error from now on, and it reads nothing.
        """
        reading = os.fdopen(os.dup(0), encoding="utf-8")
        writing = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - as long as we live
        return cls(reading, writing)

    def send(self, message: Any) -> None:
        """Hand a JSON-able value to the other process."""
        print(json.dumps(message), file=self._writing, flush=True)

    def receive(self) -> Any:
        """The next message; `None` once the other process has gone."""
        try:
            line = self._reading.readline()
        except ValueError:
            if not self._reading.closed:
                raise
            return None  # The session has ended, and this thread waited for what is no more.
        return json.loads(line) if line else None
