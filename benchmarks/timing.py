"""Times two commands in turn, A B A B ..., so that both run under the same conditions.

Each is timed from outside as a whole process; its peak memory is reported by the system.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians over the runs of one command: seconds, and peak memory in MB."""

    seconds: float
    megabytes: float


def run_once(command: list[str], folder: Path, variables: Mapping[str, str]) -> Measured:
    """Run `command` once in `folder`, with additional environment variables."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} exited with {process.returncode}")
    scale = 1 if sys.platform == "darwin" else 1024
    return Measured(seconds, usage.ru_maxrss * scale / 1e6)


def compare(
    ours: list[str], theirs: list[str], runs: int, variables: Mapping[str, str] | None = None
) -> tuple[Measured, Measured]:
    """Return the medians of two commands, run in turn, each time in a new folder."""
    seen: tuple[list[Measured], list[Measured]] = ([], [])
    for number in range(runs + 1):
        for command, measured in zip((ours, theirs), seen, strict=True):
            with tempfile.TemporaryDirectory() as folder:
                once = run_once(command, Path(folder), variables or {})
            if number:  # The first run only warms up the disk cache.
                measured.append(once)
    return _median(seen[0]), _median(seen[1])


def _median(runs: list[Measured]) -> Measured:
    return Measured(
        statistics.median(run.seconds for run in runs),
        statistics.median(run.megabytes for run in runs),
    )
