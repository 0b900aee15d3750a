"""Processes that others have started."""

from __future__ import annotations

import contextlib
import os
import signal


def kill_group(pid: int) -> None:
    """End a process that leads a session of its own, and all that it has started.

    Where there are no groups of processes, as on Windows, nothing happens.
    """
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
