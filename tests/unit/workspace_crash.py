"""Run one commit again and again, with a fault at its 1st, 2nd, 3rd ... file operation.

Reads a job as JSON from stdin and writes the outcome of each run as JSON to stdout; the folders of
the runs are kept for the test. It is a separate program because it forks and kills.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from scaffold.changes import Change
from scaffold.errors import ScaffoldError
from scaffold.workspace import Workspace

OPERATIONS = [
    *(
        "chmod",
        "close",
        "fstat",
        "ftruncate",
        "link",
        "listdir",
        "lseek",
        "lstat",
        "mkdir",
    ),
    *(
        "open",
        "read",
        "readlink",
        "rename",
        "replace",
        "rmdir",
        "scandir",
        "stat",
        "unlink",
        "write",
    ),
]


@dataclass
class Faults:
    """Counts the file operations in a root, and breaks some of them."""

    root: str
    at: Mapping[int, str]
    links: bool = True
    count: int = 0
    descriptors: set[int] = field(default_factory=set)

    @contextmanager
    def installed(self) -> Iterator[None]:
        modules: list[tuple[Any, str]] = [(os, name) for name in OPERATIONS]
        if sys.platform != "win32":
            import fcntl

            modules.append((fcntl, "flock"))
        real = [(module, name, getattr(module, name)) for module, name in modules]
        for module, name, function in real:
            setattr(module, name, self.wrap(name, function))
        try:
            yield
        finally:
            for module, name, function in real:
                setattr(module, name, function)

    def wrap(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(*args: Any, **options: Any) -> Any:
            if not any(self.is_below(arg) for arg in args):
                return function(*args, **options)
            if name == "link" and not self.links:
                raise OSError(errno.EPERM, "Operation not permitted")
            self.count += 1
            fault = self.at.get(self.count, "")
            if any(
                self.count > start for start, kind in self.at.items() if kind == "fail from here"
            ):
                fault = "fail"
            return self.perform(name, args[0], fault, lambda: function(*args, **options))

        return faulty

    def perform(self, name: str, subject: Any, fault: str, run: Callable[[], Any]) -> Any:
        # A descriptor is closed even if closing fails, so that one fails afterwards.
        if fault and not fault.endswith("after") and name != "close":
            strike(fault)
        if name == "close":
            self.descriptors.discard(subject)
        try:
            result = run()
        except OSError:
            strike(fault)
            raise
        if name == "open" and fault:
            os.close(result)
        strike(fault)
        if name == "open":
            self.descriptors.add(result)
        return result

    def is_below(self, arg: object) -> bool:
        if isinstance(arg, int):
            return arg in self.descriptors
        if isinstance(arg, str | os.PathLike):
            path = os.fspath(arg)
            return path == self.root or str(path).startswith(self.root + os.sep)
        return False


def strike(fault: str) -> None:
    if fault.startswith("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    if fault.startswith("interrupt"):
        raise KeyboardInterrupt
    if fault:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def populate(root: Path, files: Mapping[str, tuple[str, int]]) -> None:
    root.mkdir(parents=True)
    for name, (text, mode) in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        path.chmod(mode)


def commit(root: Path, changes: list[tuple[str, str | None, str]]) -> None:
    with Workspace(root).transaction() as transaction:
        transaction.commit(
            Change(PurePosixPath(path), None if before is None else before.encode(), after.encode())
            for path, before, after in changes
        )


def attempt(root: Path, job: Mapping[str, Any], at: Mapping[int, str]) -> dict[str, Any]:
    faults = Faults(str(root), at, job["links"])
    outcome = {"error": "", "message": ""}
    try:
        with faults.installed():
            commit(root, job["changes"])
    except (ScaffoldError, KeyboardInterrupt) as error:
        outcome = {"error": type(error).__name__, "message": str(error)}
    return {
        **outcome,
        "root": str(root),
        "reached": faults.count >= min(at),
        "leaks": len(faults.descriptors),
    }


def attempt_and_die(root: Path, job: Mapping[str, Any], at: Mapping[int, str]) -> dict[str, Any]:
    child = os.fork()
    if child == 0:
        os._exit(0 if not attempt(root, job, at)["error"] else 1)
    status = os.waitpid(child, 0)[1]
    killed = os.WIFSIGNALED(status)
    return {"error": "" if status == 0 else "killed", "root": str(root), "reached": killed}


def main() -> None:
    job = json.load(sys.stdin)
    run = attempt_and_die if job["fault"].startswith("kill") else attempt
    outcomes: list[dict[str, Any]] = []
    for gap in job["gaps"]:
        for number in itertools.count(1) if not job["only"] else [job["only"]]:
            root = Path(job["folder"]) / f"{gap}-{number}"
            populate(root, job["files"])
            if job["killed_at"]:
                attempt_and_die(root, job, {job["killed_at"]: "kill after"})
            outcomes.append(run(root, job, {number: job["fault"], number + gap: job["fault"]}))
            if not outcomes[-1]["reached"]:
                break
    json.dump(outcomes, sys.stdout)


if __name__ == "__main__":
    main()
