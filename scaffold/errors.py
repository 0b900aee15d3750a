"""The errors, each with its kind and exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A span of the text that the user typed, to point at.

    Args:
        text: The whole text, one line.
        start: Index of the first character.
        end: Index past the last character.
    """

    text: str
    start: int
    end: int


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."


class ScaffoldError(Exception):
    """A problem was found; nothing was written.

    Args:
        message: What was wrong and where, in one sentence.
        fix: What to do about it, in one sentence.
        place: Where in the typed text, if known.
    """

    kind = "failed"
    exit_code = 1
    # Commands to use instead, the best first.
    commands: Sequence[str] = ()

    def __init__(self, message: str, *, fix: str = "", place: Place | None = None) -> None:
        super().__init__(message)
        self.message = _sentence(message)
        self.fix = _sentence(fix)
        self.place = place


class UsageError(ScaffoldError):
    """The command, an attribute, an option or a settings file is malformed."""

    kind = "usage"
    exit_code = 2


class ConflictError(ScaffoldError):
    """Existing files or another run are in the way."""

    kind = "conflict"
    exit_code = 3


class UnsafeError(ScaffoldError):
    """The request would leave the target folder or smuggle something in."""

    kind = "unsafe"
    exit_code = 4


class MissingError(ScaffoldError):
    """A required package, file or device is missing."""

    kind = "missing"
    exit_code = 5
