"""The command line on a terminal."""

from __future__ import annotations

import errno
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import ENVIRONMENT

pty = pytest.importorskip("pty", reason="there are no POSIX terminals here")

PLAIN = ENVIRONMENT | {"NO_COLOR": "1", "TERM": "dumb"}
# The process needs its own terminal to receive ^C, which a background job ignores.
OWN_TERMINAL = (
    "import fcntl, os, signal, sys, termios\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
    "os.execv(sys.argv[1], sys.argv[1:])\n"
)


def on_a_terminal(folder: Path, *words: str, **environment: str) -> str:
    """Return what the command prints on a terminal."""
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
        except OSError as error:  # On Linux, a closed terminal.
            if error.errno != errno.EIO:
                raise
            return seen
        if not more:
            return seen
        seen += more


def talk(folder: Path, words: list[str], answers: list[tuple[str, str]]) -> tuple[int, list[str]]:
    """Run on a real terminal, and answer each prompt; return the exit code and the lines."""
    master, slave = pty.openpty()
    command = [sys.executable, "-c", OWN_TERMINAL, sys.executable, "-m", "scaffold", *words]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=PLAIN,
        start_new_session=True,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    ) as running:
        os.close(slave)
        try:
            seen = answer_all(master, answers)
            code = running.wait(timeout=60)
        finally:
            running.kill()
    os.close(master)
    return code, seen.splitlines()


def answer_all(master: int, answers: list[tuple[str, str]]) -> str:
    """Answer each prompt when it appears, and return all output."""
    seen, read = "", 0
    for prompt, answer in answers:
        while not seen[read:].endswith(prompt):
            more = read_some(master)
            assert more, f"no {prompt!r} but {seen[read:]!r}"
            seen += more
        read = len(seen)
        os.write(master, answer.encode() + (b"" if answer in ("\x03", "\x04") else b"\n"))
    again = b"\x03" if answers and answers[-1][1] == "\x03" else b""
    while more := read_some(master, again):
        seen += more
    return seen


def read_some(descriptor: int, again: bytes = b"") -> str:
    """Return the next output; empty if the terminal is closed, or silent for too long.

    Python misses a ^C between its prompt and its read, so it is typed `again`.
    """
    for _ in range(60):
        ready, _, _ = select.select([descriptor], [], [], 1)
        if ready:
            break
        os.write(descriptor, again)
    else:
        return ""
    try:
        return os.read(descriptor, 1 << 16).decode().replace("\r\n", "\n")
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return ""
