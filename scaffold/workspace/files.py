"""Single file operations: they follow no links, and report what failed where."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath, PurePosixPath
from typing import TypeGuard

from scaffold.errors import ConflictError, ScaffoldError, UnsafeError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

GONE = (FileNotFoundError, NotADirectoryError)
# Follow no links, don't wait for a pipe, don't become a terminal's owner, keep line endings.
_CAUTION = ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY")
CAUTIOUS: int = sum(getattr(os, name, 0) for name in _CAUTION)


def link(source: Path, path: Path) -> bool:
    """Hard-link a file, never overwriting one; return `False` if the disk does not support it."""
    try:
        path.hardlink_to(source)
    except FileExistsError:
        raise
    except OSError:
        return False
    return True


@contextmanager
def opened(path: Path, flags: int, mode: int = 0o666) -> Iterator[int]:
    descriptor = os.open(path, flags | CAUTIOUS, mode)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def write_new(path: Path, data: bytes, mode: int | None = None) -> None:
    private_until_chmod = 0o666 if mode is None else 0o600
    with opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, private_until_chmod) as descriptor:
        write_all(descriptor, data)
        if mode is not None:
            path.chmod(mode)


def read_if_there(root: Path, path: PurePosixPath) -> bytes | None:
    with reporting("read", path):
        try:
            mode = (root / path).lstat().st_mode
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            raise ConflictError(f"a file is in the way of {shown_path(path)}") from None
        if not stat.S_ISREG(mode):
            raise ConflictError(f"{shown_path(path)} is in the way: it is not a regular file")
        return read_file(root / path)


def read_file(path: Path) -> bytes:
    with opened(path, os.O_RDONLY) as descriptor:
        return read_all(descriptor)


def read_all(descriptor: int) -> bytes:
    return b"".join(iter(lambda: os.read(descriptor, 1 << 20), b""))


def write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def unlink(path: Path) -> None:
    with suppress(*GONE):
        path.unlink()


def lstat(path: Path) -> os.stat_result | None:
    with suppress(*GONE):
        return path.lstat()
    return None


def is_file(there: os.stat_result | None) -> TypeGuard[os.stat_result]:
    return there is not None and stat.S_ISREG(there.st_mode)


def is_at(descriptor: int, path: Path) -> bool:
    there = lstat(path)
    return there is not None and os.path.samestat(os.fstat(descriptor), there)


def try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            # A locked range can't be read by others, so lock one far past the text.
            os.lseek(descriptor, 1 << 30, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True


def resolve(path: Path) -> Path:
    real = Path(os.path.realpath(path))
    if any(step.is_symlink() for step in (real, *real.parents)):
        raise UnsafeError(f"{shown_path(path)} is a loop of symbolic links")
    return real


def refuse_odd_characters(path: PurePath) -> None:
    codes = [ord(char) for char in str(path)]
    if any(code < 32 or 127 <= code < 160 or 0xD800 <= code < 0xE000 for code in codes):
        what = f"{shown_path(path)} contains control characters, or bytes that are not text"
        raise UnsafeError(what, fix="Choose another name.")


def changed_meanwhile(path: PurePosixPath) -> ConflictError:
    return ConflictError(
        f"{shown_path(path)} changed while scaffold was running; nothing was written",
        fix="Check the file, then run the command again.",
    )


@contextmanager
def reporting(action: str, path: PurePath) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ScaffoldError(f"could not {action} {shown_path(path)}: {reason}") from error


@contextmanager
def adding(prefix: str) -> Iterator[None]:
    try:
        yield
    except ScaffoldError as error:
        fix = "Run a scaffold command that writes here; it finishes that first."
        raise ScaffoldError(f"{prefix}: {error.message}", fix=fix) from error


def shown_path(path: PurePath) -> str:
    text = str(path)
    return text if text.isprintable() else ascii(text)


def digest(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()
