"""The command line in a process of its own, on a terminal or in a pipe."""

from __future__ import annotations

import errno
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import scaffold as package

ROOT = Path(package.__file__).parent.parent
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "TERM")}
ENVIRONMENT |= {"PYTHONPATH": str(ROOT), "TERM": "xterm"}


def process(*words: str, folder: Path, **settings: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scaffold", *words]
    settings = {"capture_output": True, "env": ENVIRONMENT, "timeout": 60, **settings}
    return subprocess.run(command, cwd=folder, text=True, encoding="utf-8", check=False, **settings)


def on_a_terminal(folder: Path, *words: str, **environment: str) -> str:
    """What a person sees of it."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "scaffold", *words],
        cwd=folder,
        env=ENVIRONMENT | environment,
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
    ):
        os.close(slave)
        seen = read_all(master)
    os.close(master)
    return seen.decode("utf-8").replace("\r\n", "\n")


def read_all(descriptor: int) -> bytes:
    seen = b""
    while True:
        try:
            more = os.read(descriptor, 1 << 16)
        except OSError as error:  # Linux says so where a terminal has been closed.
            if error.errno != errno.EIO:
                raise
            return seen
        if not more:
            return seen
        seen += more
