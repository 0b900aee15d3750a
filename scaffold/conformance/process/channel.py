"""Messages between two processes over the child's pipes, separate from what it prints."""

from __future__ import annotations

import json
import os
import sys
from typing import IO, Any


class Channel:
    """JSON values, one per line.

    Args:
        reading: Where messages come from.
        writing: Where they go.
    """

    def __init__(self, reading: IO[str], writing: IO[str]) -> None:
        self._reading = reading
        self._writing = writing

    @classmethod
    def of_this_process(cls) -> Channel:
        """Return the channel to the parent, over what were standard input and output.

        From now on, what this process prints goes to standard error, and its input is empty.
        """
        reading = os.fdopen(os.dup(0), encoding="utf-8")
        writing = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - never closed
        return cls(reading, writing)

    def send(self, message: Any) -> None:
        """Send a JSON-serializable value to the other process."""
        print(json.dumps(message), file=self._writing, flush=True)

    def receive(self) -> Any:
        """Return the next message; `None` once the other process has ended."""
        try:
            line = self._reading.readline()
        except ValueError:
            if not self._reading.closed:
                raise
            return None  # The session ended while this thread was waiting.
        return json.loads(line) if line else None
