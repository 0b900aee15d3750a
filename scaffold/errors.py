"""The errors, each with its kind and exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from scaffold.text import suggested


@dataclass(frozen=True)
class Place:
    """A span of the text that the user typed, or of a line of a file, to point at.

    Args:
        text: The whole text, one line.
        start: Index of the first character.
        end: Index past the last character.
        path: The file; `None` if it was typed.
        line: Its line, from 1.
    """

    text: str
    start: int
    end: int
    path: str | None = None
    line: int | None = None


class Source(Protocol):
    """Where a value comes from; its places are only found for an error."""

    def name(self) -> Place | None:
        """Return where it is named, if known."""

    def value(self) -> Place | None:
        """Return where the value is, if known."""


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."


class ScaffoldError(Exception):
    """A problem was found; nothing was written.

    Args:
        message: What was wrong and where, in one sentence.
        fix: What to do about it, in one sentence.
        place: Where in the typed text, if known.
        suggestions: What was probably meant, the nearest first: words that would be accepted
            instead, or whole commands. By default, what `nearest` has put into the message.
    """

    kind = "failed"
    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        fix: str = "",
        place: Place | None = None,
        suggestions: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.message = _sentence(message)
        self.fix = _sentence(fix)
        self.place = place
        self.suggestions = tuple(suggestions) or suggested(message)


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


# One class for each kind.
KINDS = (ScaffoldError, UsageError, ConflictError, UnsafeError, MissingError)


@contextmanager
def pointing(place: Callable[[], Place | None]) -> Iterator[None]:
    """Have an error that does not say where it is point at a place."""
    try:
        yield
    except ScaffoldError as error:
        error.place = error.place or place()
        raise
