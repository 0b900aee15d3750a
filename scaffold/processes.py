"""Process groups."""

from __future__ import annotations

import contextlib
import os
import signal


def kill_group(pid: int) -> None:
    """Kill a process that leads its own session, and everything in its process group.

    Does nothing on platforms without process groups, such as Windows.
    """
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
