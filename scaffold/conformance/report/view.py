"""What all reports share: the page of a check, locations, printable text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from scaffold.conformance.finding import Outcome, Where
from scaffold.conformance.registry import find
from scaffold.text import unprintable

_SENTENCE = re.compile(r".+?(?:[.!?](?=\s+[A-Z`])|$)", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """What a report says about an outcome of a check.

    Args:
        title: What the check requires, in one sentence.
        why: What goes wrong if it fails; empty if that is not the problem here.
        fix: How to fix it.
    """

    title: str
    why: str
    fix: str


def page_of(outcome: Outcome) -> Page:
    """Return the page of the outcome's check, as far as it applies to this outcome."""
    check = find(outcome.check)
    if outcome.status == "failed" and outcome.reason:
        return Page(check.title, "", sentence(outcome.reason))
    return Page(check.title, check.why, sentence(check.fix))


def sentence(text: str) -> str:
    """Return `text` with a capital letter at its start and a full stop at its end."""
    ended = text if text.endswith((".", "!", "?")) else f"{text}."
    return ended[:1].upper() + ended[1:]


def opening(text: str) -> str:
    """Return the first two sentences of a text: often only the second states the consequence."""
    sentences = _SENTENCE.findall(text.partition("\n\n")[0])
    return " ".join(sentence.strip() for sentence in sentences[:2])


def grouped(outcomes: Iterable[Outcome]) -> Iterator[list[Outcome]]:
    """Yield the outcomes of each class, case and backend, in order."""
    for _, group in groupby(outcomes, key=group_of):
        yield list(group)


def group_of(outcome: Outcome) -> tuple[str, str, str]:
    """Return the class, the case and the backend of an outcome."""
    return outcome.subject, outcome.case, outcome.backend


def printable(text: str) -> str:
    """Return `text` on one line, with unprintable characters replaced."""
    return _shown(" ".join(text.split()))


def place(where: Where, here: Path) -> str:
    """Return the path and the line of a location, as typed in the folder `here`."""
    return f"{_shown(path_of(where, here))}:{where.line}"


def path_of(where: Where, here: Path) -> str:
    """Return the path of a location, relative to the folder `here` if it is below it."""
    path = Path(where.path)
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


def _shown(text: str) -> str:
    return "".join("�" if unprintable(character) else character for character in text)
