"""Runs the checks over the classes of a library, on one backend in one process.

`python -m conformance.sweep keras` is asked for a class by its name, and answers with the outcomes.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from scaffold.cases import Case
from scaffold.conformance.finding import Outcome
from scaffold.conformance.process.channel import Channel
from scaffold.conformance.process.fresh import FreshProcess
from scaffold.conformance.registry import checks
from scaffold.conformance.runner import FORGET_AFTER, forget, run
from scaffold.conformance.subject import Subject


@dataclass(frozen=True)
class Job:
    """A class of a library in one of its cases."""

    library: str
    name: str
    case: Case

    @property
    def cls(self) -> Any:
        return getattr(importlib.import_module(f"{self.library}.layers"), self.name)


def jobs(library: str, name: str) -> list[Job]:
    """Return all cases of a class.

    Args:
        library: `keras` or `keras_hub`.
        name: The class.
    """
    table = importlib.import_module(f"conformance.{library}_cases").CASES
    return [Job(library, name, case) for case in table[name]]


def outcomes(found: Iterable[Job], fresh: FreshProcess) -> Iterator[Outcome]:
    """Yield the outcome of each check of each case as it ends."""
    for job in found:
        yield from run(Subject(job.cls, job.case, fresh), checks())


def main(library: str) -> None:
    """Check what the parent process requests."""
    channel = Channel.of_this_process()
    with FreshProcess(os.environ["KERAS_BACKEND"], sys.path) as fresh:
        for number, name in enumerate(iter(channel.receive, None), start=1):
            channel.send([asdict(one) for one in outcomes(jobs(library, name), fresh)])
            if number % FORGET_AFTER == 0:
                forget()


if __name__ == "__main__":
    main(sys.argv[1])
