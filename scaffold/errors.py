"""What can go wrong, as values that know their kind and their exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A stretch of the text that the person typed, to point at.

    Args:
        text: The whole text, one line.
        start: Index of the first character meant.
        end: Index past the last one.
    """

    text: str
    start: int
    end: int


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."


class ScaffoldError(Exception):
    """Something was found wrong; nothing was written.

    Args:
        message: What was wrong and where, one sentence.
        fix: What to do about it, one sentence.
        place: Where in the typed text, if it can be pointed at.
    """

    kind = "failed"
    exit_code = 1
    # Lines that would do instead, the best first.
    commands: Sequence[str] = ()

    def __init__(self, message: str, *, fix: str = "", place: Place | None = None) -> None:
        super().__init__(message)
        self.message = _sentence(message)
        self.fix = _sentence(fix)
        self.place = place


class UsageError(ScaffoldError):
    """The command, an attribute, an option or a file of settings is not well-formed."""

    kind = "usage"
    exit_code = 2


class ConflictError(ScaffoldError):
    """Files on the disk, or another run, stand in the way."""

    kind = "conflict"
    exit_code = 3


class UnsafeError(ScaffoldError):
    """What was asked would leave the target folder or smuggle something in."""

    kind = "unsafe"
    exit_code = 4


class MissingError(ScaffoldError):
    """A package, a file or a device that is needed is not there."""

    kind = "missing"
    exit_code = 5
