"""The only module that touches the user's disk: confined reads, and commits of all files or none.

A commit goes through the journal `.scaffold-journal`, whose file lock also keeps other runs out:

    record -> stage and back up -> place -> "done" -> tidy

Whoever gets the lock and finds a record knows that its writer was killed: before "done" all is
undone, after it only the tidying is left. A commit that fails is undone by the same code, so there
is one way back, and it needs nothing but the journal.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import TypeGuard

from scaffold.errors import ConflictError, MissingError, ScaffoldError, UnsafeError
from scaffold.plan import Change

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_JOURNAL = ".scaffold-journal"
_MAGIC = b"scaffold-journal 1\n"
_DONE = b"done\n"
_GONE = (FileNotFoundError, NotADirectoryError)
# Follow no link, do not wait for a pipe, become no terminal's owner, change no line ends.
_CAUTION = ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY")
_CAUTIOUS: int = sum(getattr(os, name, 0) for name in _CAUTION)


class Workspace:
    """The folder that everything is confined to.

    Args:
        root: An existing folder; symbolic links on the way to it are followed once, here.

    Raises:
        MissingError: There is no such folder.
        ScaffoldError: It cannot be looked up.
    """

    def __init__(self, root: Path) -> None:
        with _reporting("look up", root):
            if not root.is_dir():
                raise MissingError(f"there is no folder {_shown(root)}")
            self.root = root.resolve()

    def confine(self, path: Path) -> PurePosixPath:
        """Where a path, absolute or relative to the current folder, really lies below the root.

        Symbolic links are followed as long as they stay inside, so the result holds none.

        Raises:
            UnsafeError: It leaves the root, passes through a link that does, or is no decent name.
            ScaffoldError: A folder on the way cannot be looked up.
        """
        _refuse_odd_characters(path)
        with _reporting("look up", path):
            absolute = path.absolute()
            real = _resolve(absolute)
            if not real.is_relative_to(self.root) or self._leads_out(absolute, real):
                mend = "choose a path inside of that folder"
                raise UnsafeError(f"{_shown(path)} is outside of {_shown(self.root)}", mend=mend)
        relative = PurePosixPath(real.relative_to(self.root).as_posix())
        if str(relative).casefold() == _JOURNAL:
            raise UnsafeError(f"{_shown(path)} is scaffold's own journal", mend="choose another")
        return relative

    def read(self, path: PurePosixPath) -> bytes | None:
        """The bytes of a file below the root, `None` where there is none.

        Raises:
            ConflictError: Something that is not a regular file is in the way.
            UnsafeError: The path leads out of the root.
            ScaffoldError: It cannot be read.
        """
        return _read_if_there(self.root, self.confine(self.root / path))

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Keep other runs out of the root, after healing what a killed one left there.

        Raises:
            ConflictError: Another run is writing in the root.
            UnsafeError: There is a journal that no run has written here.
            ScaffoldError: The journal cannot be written, or what it tells cannot be undone yet.
        """
        self.confine(self.root)
        with _reporting("lock", self.root / _JOURNAL):
            journal = _Journal(self.root)
        try:
            transaction = Transaction(self, journal)
            transaction.settle()
            yield transaction
        except BaseException:
            # A journal that stays behind does no harm; the error on its way is what matters.
            with suppress(OSError):
                journal.release()
            raise
        with _reporting("remove", journal.path):
            journal.release()

    def _leads_out(self, path: Path, real: Path) -> bool:
        steps = (path, *path.parents) if path != real else ()
        return any(
            _resolve(step.parent).is_relative_to(self.root)
            and not _resolve(step).is_relative_to(self.root)
            for step in steps
            if step.is_symlink()
        )


class Transaction:
    """The right to write below a workspace's root; `Workspace.transaction` gives it."""

    def __init__(self, workspace: Workspace, journal: _Journal) -> None:
        self._workspace = workspace
        self._root = workspace.root
        self._journal = journal

    def commit(self, changes: Iterable[Change]) -> None:
        """Write all changes, or none of them.

        Raises:
            ConflictError: A file is no longer what the change says it was before.
            UnsafeError: A path leads out of the root.
            ScaffoldError: Something could not be written; the message says if undoing failed too.
        """
        self.settle()
        targets = self._targets(changes)
        self._expect_unchanged(targets)
        if all(change.action == "keep" for change in targets):
            return
        try:
            with _reporting("write in", self._root):
                self._write(targets)
        except BaseException as failure:
            with _adding(f"{str(failure) or type(failure).__name__}; undoing it failed too"):
                self._journal.retract_done()
                self.settle()
            raise
        with _adding("all files were written, but not tidied up"):
            self.settle()

    def settle(self) -> None:
        """Finish what the journal tells, forward if it was done, else back, and empty it.

        Raises:
            UnsafeError: The journal is not one that a run has written here.
            ScaffoldError: Something could not be settled yet.
        """
        record = _load(self._workspace, self._journal)
        if record and not record.done:
            for step in reversed(record.steps):
                with _reporting("restore", step.path):
                    _restore(step)
        for step in record.steps if record else ():
            with _reporting("tidy up beside", step.path):
                _unlink(step.staged)
                _unlink(step.backup)
        for folder in reversed(record.folders) if record and not record.done else ():
            with _reporting("remove", folder), suppress(*_GONE):
                if not any((self._root / folder).iterdir()):
                    (self._root / folder).rmdir()
        self._journal.truncate(0)

    def _targets(self, changes: Iterable[Change]) -> list[Change]:
        targets: dict[PurePosixPath, Change] = {}
        for change in changes:
            path = self._workspace.confine(self._root / change.path)
            if path in targets:
                raise ConflictError(f"{_shown(path)} would be written twice")
            targets[path] = Change(path, change.before, change.after)
        return list(targets.values())

    def _expect_unchanged(self, targets: list[Change]) -> None:
        for change in targets:
            moved = self._workspace.confine(self._root / change.path) != change.path
            if moved or _read_if_there(self._root, change.path) != change.before:
                raise _changed_meanwhile(change.path)

    def _write(self, targets: list[Change]) -> None:
        writes = [change for change in targets if change.action != "keep"]
        record = _begin(self._root, self._journal, writes)
        for folder in record.folders:
            with _reporting("create", folder):
                (self._root / folder).mkdir()
        for change, step in zip(writes, record.steps, strict=True):
            with _reporting("write", step.path):
                _stage(change, step)
        self._expect_unchanged(targets)
        for step in record.steps:
            with _reporting("write", step.path):
                _place(step)
        for folder in {parent for step in record.steps for parent in step.path.parents}:
            _sync_folder(self._root / folder)
        self._journal.append(_DONE)


class _Journal:
    """The file that is locked for as long as a run writes, and tells the next run what it did."""

    def __init__(self, root: Path) -> None:
        self.path = root / _JOURNAL
        while not self._acquire():
            pass

    def _acquire(self) -> bool:
        there = _lstat(self.path)
        if there and not _is_file(there):
            raise UnsafeError(f"{_shown(self.path)} is not a regular file", mend="move it away")
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _CAUTIOUS, 0o600)
        try:
            if not _try_lock(descriptor):
                where = _shown(self.path.parent)
                mend = "wait until it has ended, then run this again"
                raise ConflictError(f"another scaffold run is writing in {where}", mend=mend)
            # The run that had the lock may have removed the file while we were opening it.
            if sys.platform == "win32" or _is_at(descriptor, self.path):
                self._descriptor, self.inode = descriptor, os.fstat(descriptor).st_ino
                return True
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return False

    def read(self) -> bytes:
        with _reporting("read", self.path):
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            return _read(self._descriptor)

    def append(self, data: bytes) -> None:
        with _reporting("write", self.path):
            _write(self._descriptor, data)
            os.fsync(self._descriptor)

    def retract_done(self) -> None:
        """Nobody may take a commit that is being undone for a finished one."""
        data = self.read()
        if data.endswith(_DONE):
            self.truncate(len(data) - len(_DONE))

    def truncate(self, size: int) -> None:
        with _reporting("shorten", self.path):
            if os.fstat(self._descriptor).st_size > size:
                os.ftruncate(self._descriptor, size)

    def release(self) -> None:
        """Unlock, and remove the file unless the next run needs it."""
        descriptor, self._descriptor = self._descriptor, -1
        try:
            settled = os.fstat(descriptor).st_size == 0
            if settled and sys.platform != "win32" and _is_at(descriptor, self.path):
                self.path.unlink()
        finally:
            os.close(descriptor)
        if settled and sys.platform == "win32":
            # Windows removes no open file: if another run has it by now, that one will remove it.
            with suppress(PermissionError):
                _unlink(self.path)


@dataclass(frozen=True, slots=True)
class _Step:
    """One file of a commit, with the files that help beside it."""

    path: PurePosixPath
    replaces: bool
    digest: str
    target: Path
    staged: Path
    backup: Path


@dataclass(frozen=True, slots=True)
class _Record:
    """What a commit is about to do: enough to undo it, whenever it dies."""

    steps: list[_Step]
    folders: list[PurePosixPath]
    done: bool = False


def _step(root: Path, token: str, number: int, file: tuple[PurePosixPath, bool, str]) -> _Step:
    """Nobody can choose where the helpers of a file are: it follows from the token."""
    target, helper = root / file[0], f".scaffold-{token}-{number}"
    staged, backup = target.with_name(f"{helper}.new"), target.with_name(f"{helper}.old")
    return _Step(*file, target, staged, backup)


def _begin(root: Path, journal: _Journal, writes: list[Change]) -> _Record:
    import json

    token = os.urandom(8).hex()
    files = [(c.path, c.before is not None, _digest(c.after)) for c in writes]
    ancestors = (folder for change in writes for folder in reversed(change.path.parents))
    folders = [folder for folder in dict.fromkeys(ancestors) if not _lstat(root / folder)]
    text = json.dumps([token, journal.inode, folders, files], default=str)
    journal.append(_MAGIC + text.encode("ascii") + b"\n")
    return _Record([_step(root, token, n, file) for n, file in enumerate(files)], folders)


def _load(workspace: Workspace, journal: _Journal) -> _Record | None:
    """The journal's record; `None` if its writer died before it was complete."""
    data = journal.read()
    body, newline, marks = data.removeprefix(_MAGIC).partition(b"\n")
    if _MAGIC.startswith(data) or (data.startswith(_MAGIC) and not newline):
        return None
    try:
        if not data.startswith(_MAGIC) or not _DONE.startswith(marks):
            raise ValueError("not the form of a journal")
        steps, folders = _parse(workspace, journal.inode, body)
    except (UnsafeError, TypeError, ValueError, RecursionError) as error:
        what = f"{_shown(journal.path)} does not fit this folder: scaffold wrote it elsewhere, "
        mend = f"look into it, then delete {_shown(journal.path)} by hand"
        raise UnsafeError(what + "or not at all", mend=mend) from error
    return _Record(steps, folders, done=marks == _DONE)


def _parse(
    workspace: Workspace, inode: int, body: bytes
) -> tuple[list[_Step], list[PurePosixPath]]:
    import json

    token, home, folders, files = record = json.loads(body)
    shapes = {(str, bool, str)}.issuperset(tuple(map(type, file)) for file in files)
    if [*map(type, record)] != [str, int, list, list] or not shapes:
        raise ValueError("not a record")
    # A journal that came with a clone or a copy speaks of files that are not ours to touch.
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


def _plain_path(workspace: Workspace, text: str) -> PurePosixPath:
    """A path as a journal may name it: below the root, in the plainest spelling, through no link.

    Its last part may have become a link since; that is a person's change, which is left alone.
    """
    path = PurePosixPath(text)
    _refuse_odd_characters(path)
    real = workspace.root / path
    if str(workspace.confine(real.parent) / real.name) != text or real.name in ("", "..", _JOURNAL):
        raise ValueError("not a plain path below the root")
    return path


def _stage(change: Change, step: _Step) -> None:
    if change.before is None:
        _write_new(step.staged, change.after)
        return
    mode = stat.S_IMODE(step.target.lstat().st_mode)
    _write_new(step.staged, change.after, mode)
    if not _link(step.target, step.backup):
        _write_new(step.backup, change.before, mode)


def _place(step: _Step) -> None:
    if step.replaces:
        step.staged.replace(step.target)
        return
    try:
        if not _link(step.staged, step.target):
            if _lstat(step.target):
                raise FileExistsError
            step.staged.rename(step.target)
    except FileExistsError:
        raise _changed_meanwhile(step.path) from None


def _restore(step: _Step) -> None:
    """Put back what was there before, if what stands there now is what this step has put there."""
    staged, target, backup = map(_lstat, (step.staged, step.target, step.backup))
    if not _is_file(target) or (staged and not os.path.samestat(staged, target)):
        return
    if _digest(_read_file(step.target)) != step.digest:
        return
    if not step.replaces:
        step.target.unlink()
    elif _is_file(backup):
        step.backup.replace(step.target)


def _link(source: Path, path: Path) -> bool:
    """Give a file a second name, never overwriting one; `False` where the disk knows no links."""
    try:
        path.hardlink_to(source)
    except FileExistsError:
        raise
    except OSError:
        return False
    return True


@contextmanager
def _opened(path: Path, flags: int, mode: int = 0o666) -> Iterator[int]:
    descriptor = os.open(path, flags | _CAUTIOUS, mode)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write_new(path: Path, data: bytes, mode: int | None = None) -> None:
    private_until_chmod = 0o666 if mode is None else 0o600
    with _opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, private_until_chmod) as descriptor:
        _write(descriptor, data)
        if mode is not None:
            path.chmod(mode)
        os.fsync(descriptor)


def _read_if_there(root: Path, path: PurePosixPath) -> bytes | None:
    with _reporting("read", path):
        try:
            mode = (root / path).lstat().st_mode
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            raise ConflictError(f"a file is in the way of {_shown(path)}") from None
        if not stat.S_ISREG(mode):
            raise ConflictError(f"{_shown(path)} is in the way: it is not a regular file")
        return _read_file(root / path)


def _read_file(path: Path) -> bytes:
    with _opened(path, os.O_RDONLY) as descriptor:
        return _read(descriptor)


def _read(descriptor: int) -> bytes:
    return b"".join(iter(lambda: os.read(descriptor, 1 << 20), b""))


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync_folder(folder: Path) -> None:
    """Let the new names outlive a power cut, where the system can do that."""
    with suppress(OSError), _opened(folder, os.O_RDONLY) as descriptor:
        os.fsync(descriptor)


def _unlink(path: Path) -> None:
    with suppress(*_GONE):
        path.unlink()


def _lstat(path: Path) -> os.stat_result | None:
    with suppress(*_GONE):
        return path.lstat()
    return None


def _is_file(there: os.stat_result | None) -> TypeGuard[os.stat_result]:
    return there is not None and stat.S_ISREG(there.st_mode)


def _is_at(descriptor: int, path: Path) -> bool:
    there = _lstat(path)
    return there is not None and os.path.samestat(os.fstat(descriptor), there)


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            # A locked stretch cannot be read by others, so lock one far behind the text.
            os.lseek(descriptor, 1 << 30, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True


def _resolve(path: Path) -> Path:
    real = Path(os.path.realpath(path))
    if any(step.is_symlink() for step in (real, *real.parents)):
        raise UnsafeError(f"{_shown(path)} is a loop of symbolic links")
    return real


def _refuse_odd_characters(path: PurePath) -> None:
    codes = [ord(char) for char in str(path)]
    if any(code < 32 or 127 <= code < 160 or 0xD800 <= code < 0xE000 for code in codes):
        raise UnsafeError(f"{_shown(path)} holds a control character", mend="choose another name")


def _changed_meanwhile(path: PurePosixPath) -> ConflictError:
    return ConflictError(
        f"{_shown(path)} changed while scaffold was running; nothing was written",
        mend="look at it, then run this again",
    )


@contextmanager
def _reporting(action: str, path: PurePath) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ScaffoldError(f"could not {action} {_shown(path)}: {reason}") from error


@contextmanager
def _adding(prefix: str) -> Iterator[None]:
    try:
        yield
    except ScaffoldError as error:
        mend = "run a scaffold command that writes here: it first finishes that"
        raise ScaffoldError(f"{prefix}: {error.message}", mend=mend) from error


def _shown(path: PurePath) -> str:
    text = str(path)
    return text if text.isprintable() else ascii(text)


def _digest(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()
