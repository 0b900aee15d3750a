"""What runs now, on one line of a terminal."""

from __future__ import annotations

import os
import shutil
import sys


class Progress:
    """A line on standard error that is written over and erased; in a pipe there is none."""

    def __init__(self) -> None:
        stream = sys.stderr
        terminal = stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
        self._stream = stream if terminal else None
        self._there = False

    def show(self, text: str) -> None:
        """Write `text` in place of what was there."""
        if self._stream:
            columns = shutil.get_terminal_size().columns
            self._put(f"\r{text[: columns - 1]}\x1b[K")
            self._there = True

    def erase(self) -> None:
        """Leave the line as if nothing had been there."""
        if self._there:
            self._put("\r\x1b[K")
            self._there = False

    def _put(self, text: str) -> None:
        assert self._stream is not None
        self._stream.write(text)
        self._stream.flush()
