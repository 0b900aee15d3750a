"""The journal: the lock of a run, and what the next one needs to undo or finish it."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from scaffold.changes import Change
from scaffold.errors import ConflictError, UnsafeError
from scaffold.workspace.files import (
    CAUTIOUS,
    digest,
    is_at,
    is_file,
    lstat,
    read_all,
    refuse_odd_characters,
    reporting,
    shown_path,
    try_lock,
    unlink,
    write_all,
)

JOURNAL = ".scaffold-journal"
_MAGIC = b"scaffold-journal 1\n"
_DONE = b"done\n"


class Confines(Protocol):
    """The folder that all paths must be below, and the check that one is."""

    @property
    def root(self) -> Path: ...

    def confine(self, path: Path) -> PurePosixPath: ...


class Journal:
    """The file that is locked for as long as a run writes, and tells the next run what it did."""

    def __init__(self, root: Path) -> None:
        self.path = root / JOURNAL
        while not self._acquire():
            pass

    def _acquire(self) -> bool:
        there = lstat(self.path)
        if there and not is_file(there):
            raise UnsafeError(f"{shown_path(self.path)} is not a regular file", fix="Move it away.")
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | CAUTIOUS, 0o600)
        try:
            if not try_lock(descriptor):
                where = shown_path(self.path.parent)
                fix = "Wait until it has ended, then run the command again."
                raise ConflictError(f"another scaffold run is writing in {where}", fix=fix)
            # The run that had the lock may have removed the file while we were opening it.
            if sys.platform == "win32" or is_at(descriptor, self.path):
                self._descriptor, self.inode = descriptor, os.fstat(descriptor).st_ino
                return True
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return False

    def read(self) -> bytes:
        with reporting("read", self.path):
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            return read_all(self._descriptor)

    def append(self, data: bytes) -> None:
        with reporting("write", self.path):
            write_all(self._descriptor, data)

    def mark_done(self) -> None:
        self.append(_DONE)

    def retract_done(self) -> None:
        """Remove the mark, so that a commit being undone is not taken for a finished one."""
        data = self.read()
        if data.endswith(_DONE):
            self.truncate(len(data) - len(_DONE))

    def truncate(self, size: int) -> None:
        with reporting("shorten", self.path):
            if os.fstat(self._descriptor).st_size > size:
                os.ftruncate(self._descriptor, size)

    def release(self) -> None:
        """Unlock, and remove the file unless the next run needs it."""
        descriptor, self._descriptor = self._descriptor, -1
        try:
            settled = os.fstat(descriptor).st_size == 0
            if settled and sys.platform != "win32" and is_at(descriptor, self.path):
                self.path.unlink()
        finally:
            os.close(descriptor)
        if settled and sys.platform == "win32":
            # Windows can't remove an open file: if another run has it by now, that one will.
            with suppress(PermissionError):
                unlink(self.path)


@dataclass(frozen=True, slots=True)
class Step:
    """One file of a commit, with its helper files beside it."""

    path: PurePosixPath
    replaces: bool
    digest: str
    target: Path
    staged: Path
    backup: Path


@dataclass(frozen=True, slots=True)
class Record:
    """What a commit is about to do: enough to undo it, whenever it is killed."""

    steps: list[Step]
    folders: list[PurePosixPath]
    done: bool = False


def _step(root: Path, token: str, number: int, file: tuple[PurePosixPath, bool, str]) -> Step:
    """Return a step; nobody can choose the paths of its helpers: they follow from the token."""
    target, helper = root / file[0], f".scaffold-{token}-{number}"
    staged, backup = target.with_name(f"{helper}.new"), target.with_name(f"{helper}.old")
    return Step(*file, target, staged, backup)


def begin(root: Path, journal: Journal, writes: list[Change]) -> Record:
    import json

    token = os.urandom(8).hex()
    files = [(c.path, c.before is not None, digest(c.after)) for c in writes]
    ancestors = (folder for change in writes for folder in reversed(change.path.parents))
    folders = [folder for folder in dict.fromkeys(ancestors) if not lstat(root / folder)]
    text = json.dumps([token, journal.inode, folders, files], default=str)
    journal.append(_MAGIC + text.encode("ascii") + b"\n")
    return Record([_step(root, token, n, file) for n, file in enumerate(files)], folders)


def load(workspace: Confines, journal: Journal) -> Record | None:
    """Return the journal's record; `None` if its writer was killed before it was complete."""
    data = journal.read()
    body, newline, marks = data.removeprefix(_MAGIC).partition(b"\n")
    if _MAGIC.startswith(data) or (data.startswith(_MAGIC) and not newline):
        return None
    try:
        if not data.startswith(_MAGIC) or not _DONE.startswith(marks):
            raise ValueError("not the form of a journal")
        steps, folders = _parse(workspace, journal.inode, body)
    except (UnsafeError, TypeError, ValueError, RecursionError) as error:
        what = f"{shown_path(journal.path)} does not fit this folder: scaffold wrote it elsewhere, "
        fix = f"Inspect it, then delete {shown_path(journal.path)} by hand."
        raise UnsafeError(what + "or not at all", fix=fix) from error
    return Record(steps, folders, done=marks == _DONE)


def _parse(workspace: Confines, inode: int, body: bytes) -> tuple[list[Step], list[PurePosixPath]]:
    import json

    token, home, folders, files = record = json.loads(body)
    shapes = {(str, bool, str)}.issuperset(tuple(map(type, file)) for file in files)
    if [*map(type, record)] != [str, int, list, list] or not shapes:
        raise ValueError("not a record")
    # A journal that came with a clone or a copy names files that are not ours to touch.
    if home != inode or bytes.fromhex(token).hex() != token:
        raise ValueError("not the record of this folder")
    steps = [
        _step(workspace.root, token, n, (_plain_path(workspace, path), replaces, digest))
        for n, (path, replaces, digest) in enumerate(files)
    ]
    made = [_plain_path(workspace, folder) for folder in folders]
    if not {parent for step in steps for parent in step.path.parents}.issuperset(made):
        raise ValueError("a folder without a file")
    return steps, made


def _plain_path(workspace: Confines, text: str) -> PurePosixPath:
    """Return a path as a journal may name it: below the root, in plain form, through no link.

    Its last part may have become a link since; that is a user's change, which is left alone.
    """
    path = PurePosixPath(text)
    refuse_odd_characters(path)
    real = workspace.root / path
    if str(workspace.confine(real.parent) / real.name) != text or real.name in ("", "..", JOURNAL):
        raise ValueError("not a plain path below the root")
    return path
