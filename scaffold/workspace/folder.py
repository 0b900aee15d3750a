"""The folder that everything is confined to, and the right to write in it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from scaffold.changes import Change, ChangeSet, FilesDifferError, OnConflict, make_plan
from scaffold.errors import ConflictError, MissingError, UnsafeError
from scaffold.workspace.files import (
    GONE,
    adding,
    changed_meanwhile,
    digest,
    is_file,
    link,
    lstat,
    read_file,
    read_if_there,
    refuse_odd_characters,
    reporting,
    resolve,
    shown_path,
    unlink,
    write_new,
)
from scaffold.workspace.journal import JOURNAL, Journal, Step, begin, load


class Workspace:
    """The folder that everything is confined to.

    Args:
        root: An existing folder; symbolic links on the way to it are followed once, here.

    Raises:
        MissingError: If there is no such folder.
        ScaffoldError: If it can't be looked up.
    """

    def __init__(self, root: Path) -> None:
        with reporting("look up", root):
            if not root.is_dir():
                raise MissingError(f"folder {shown_path(root)} not found")
            self.root = root.resolve()

    def confine(self, path: Path) -> PurePosixPath:
        """Resolve a path, absolute or relative to the current folder, below the root.

        Symbolic links are followed as long as they stay inside, so the result contains none.

        Raises:
            UnsafeError: If it leaves the root, passes through a link that does, or is not a safe
                name.
            ScaffoldError: If a folder on the way can't be looked up.
        """
        refuse_odd_characters(path)
        with reporting("look up", path):
            absolute = path.absolute()
            real = resolve(absolute)
            if not real.is_relative_to(self.root) or self._leads_out(absolute, real):
                fix = "Choose a path inside that folder."
                raise UnsafeError(f"{shown_path(path)} is outside {shown_path(self.root)}", fix=fix)
        relative = PurePosixPath(real.relative_to(self.root).as_posix())
        if str(relative).casefold() == JOURNAL:
            raise UnsafeError(
                f"{shown_path(path)} is scaffold's own journal", fix="Choose another name."
            )
        return relative

    def read(self, path: PurePosixPath) -> bytes | None:
        """Return the bytes of a file below the root, `None` if there is none.

        Raises:
            ConflictError: If something that is not a regular file is in the way.
            UnsafeError: If the path leads out of the root.
            ScaffoldError: If it can't be read.
        """
        return read_if_there(self.root, self.confine(self.root / path))

    def as_typed(self, path: PurePosixPath) -> str:
        """Return a path below the root as typed in the current folder."""
        return Path(os.path.relpath(self.root / path)).as_posix()

    def plan(self, files: Mapping[PurePosixPath, bytes], on_conflict: OnConflict) -> ChangeSet:
        """Return the plan that writes `files` to disk.

        Raises:
            FilesDifferError: As in `make_plan`, with paths as typed.
        """
        try:
            return make_plan(files, self.read, on_conflict)
        except FilesDifferError as error:
            raise FilesDifferError(error.plan, self.as_typed) from None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Keep other runs out of the root, after repairing what a killed one left there.

        Raises:
            ConflictError: If another run is writing in the root.
            UnsafeError: If there is a journal that no run has written here.
            ScaffoldError: If the journal can't be written, or what it records can't be undone yet.
        """
        self.confine(self.root)
        with reporting("lock", self.root / JOURNAL):
            journal = Journal(self.root)
        try:
            transaction = Transaction(self, journal)
            transaction.settle()
            yield transaction
        except BaseException:
            # A journal left behind does no harm; the original error is what matters.
            with suppress(OSError):
                journal.release()
            raise
        with reporting("remove", journal.path):
            journal.release()

    def _leads_out(self, path: Path, real: Path) -> bool:
        steps = (path, *path.parents) if path != real else ()
        return any(
            resolve(step.parent).is_relative_to(self.root)
            and not resolve(step).is_relative_to(self.root)
            for step in steps
            if step.is_symlink()
        )


class Transaction:
    """The right to write below a workspace's root; created by `Workspace.transaction`."""

    def __init__(self, workspace: Workspace, journal: Journal) -> None:
        self._workspace = workspace
        self._root = workspace.root
        self._journal = journal

    def commit(self, changes: Iterable[Change]) -> None:
        """Write all changes, or none of them.

        Raises:
            ConflictError: If a file is no longer what the change says it was before.
            UnsafeError: If a path leads out of the root.
            ScaffoldError: If something can't be written; the message says if undoing failed too.
        """
        self.settle()
        targets = self._targets(changes)
        self._expect_unchanged(targets)
        if all(change.action == "keep" for change in targets):
            return
        try:
            with reporting("write in", self._root):
                self._write(targets)
        except BaseException as failure:
            with adding(f"{str(failure) or type(failure).__name__}; undoing it failed too"):
                self._journal.retract_done()
                self.settle()
            raise
        with adding("all files were written, but the cleanup failed"):
            self.settle()

    def settle(self) -> None:
        """Finish what the journal records, forward if it was done, else back, and empty it.

        Raises:
            UnsafeError: If the journal is not one that a run has written here.
            ScaffoldError: If something can't be settled yet.
        """
        record = load(self._workspace, self._journal)
        if record and not record.done:
            for step in reversed(record.steps):
                with reporting("restore", step.path):
                    _restore(step)
        for step in record.steps if record else ():
            with reporting("clean up next to", step.path):
                unlink(step.staged)
                unlink(step.backup)
        for folder in reversed(record.folders) if record and not record.done else ():
            with reporting("remove", folder), suppress(*GONE):
                if not any((self._root / folder).iterdir()):
                    (self._root / folder).rmdir()
        self._journal.truncate(0)

    def _targets(self, changes: Iterable[Change]) -> list[Change]:
        targets: dict[PurePosixPath, Change] = {}
        for change in changes:
            path = self._workspace.confine(self._root / change.path)
            if path in targets:
                raise ConflictError(f"{shown_path(path)} would be written twice")
            targets[path] = Change(path, change.before, change.after)
        return list(targets.values())

    def _expect_unchanged(self, targets: list[Change]) -> None:
        for change in targets:
            moved = self._workspace.confine(self._root / change.path) != change.path
            if moved or read_if_there(self._root, change.path) != change.before:
                raise changed_meanwhile(change.path)

    def _write(self, targets: list[Change]) -> None:
        writes = [change for change in targets if change.action != "keep"]
        record = begin(self._root, self._journal, writes)
        for folder in record.folders:
            with reporting("create", folder):
                (self._root / folder).mkdir()
        for change, step in zip(writes, record.steps, strict=True):
            with reporting("write", step.path):
                _stage(change, step)
        self._expect_unchanged(targets)
        for step in record.steps:
            with reporting("write", step.path):
                _place(step)
        self._journal.mark_done()


def _stage(change: Change, step: Step) -> None:
    if change.before is None:
        write_new(step.staged, change.after)
        return
    mode = stat.S_IMODE(step.target.lstat().st_mode)
    write_new(step.staged, change.after, mode)
    if not link(step.target, step.backup):
        write_new(step.backup, change.before, mode)


def _place(step: Step) -> None:
    if step.replaces:
        step.staged.replace(step.target)
        return
    try:
        if not link(step.staged, step.target):
            if lstat(step.target):
                raise FileExistsError
            step.staged.rename(step.target)
    except FileExistsError:
        raise changed_meanwhile(step.path) from None


def _restore(step: Step) -> None:
    """Put back what was there before, if what is there now was put there by this step."""
    staged, target, backup = map(lstat, (step.staged, step.target, step.backup))
    if not is_file(target) or (staged and not os.path.samestat(staged, target)):
        return
    if digest(read_file(step.target)) != step.digest:
        return
    if not step.replaces:
        step.target.unlink()
    elif is_file(backup):
        step.backup.replace(step.target)
