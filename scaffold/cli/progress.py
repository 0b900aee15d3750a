"""Progress, on one line of the terminal."""

from __future__ import annotations

import os
import shutil
import sys


class Progress:
    """A line on standard error that is overwritten and erased; not shown in a pipe."""

    def __init__(self) -> None:
        stream = sys.stderr
        terminal = stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
        self._stream = stream if terminal else None
        self._there = False

    def show(self, text: str) -> None:
        """Replace the line with `text`."""
        if self._stream:
            columns = shutil.get_terminal_size().columns
            self._put(f"\r{text[: columns - 1]}\x1b[K")
            self._there = True

    def erase(self) -> None:
        """Clear the line."""
        if self._there:
            self._put("\r\x1b[K")
            self._there = False

    def _put(self, text: str) -> None:
        assert self._stream is not None
        self._stream.write(text)
        self._stream.flush()
