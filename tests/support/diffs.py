"""Short diffs for review, from which the new text follows exactly.

A line with `-` is removed, one with `+` added, and one with a space kept. Each line of the old text
is the next one that reads like this; those before it are kept, too, and left out. `@@` skips to a
class or function, and `~` removes further lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

_MORE = re.compile(r"~ and (\d+) more lines")
_SCOPE = re.compile(r"\s*(async def|def|class) ")
# A longer block of removed lines is shortened to its first one.
_LONGEST = 3


class MisfitError(Exception):
    """The diff is for another text."""


def patched(old: Sequence[str], diff: Iterable[str]) -> list[str]:
    """Return the lines of the new text.

    Args:
        old: The lines of the old text.
        diff: The lines of the diff.

    Raises:
        MisfitError: If the old text lacks a line of the diff.
    """
    new: list[str] = []
    place = 0
    for line in diff:
        if line.startswith("+"):
            new.append(line[1:])
        elif more := _MORE.fullmatch(line):
            place += int(more[1])
        else:
            found = _find(old, line, place)
            new += old[place : found + (not line.startswith("-"))]
            place = found + 1
    return [*new, *old[place:]]


def difference(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Return the lines of a diff, none if the texts are the same."""
    diff: list[str] = []
    place, scope = 0, -1
    for kind, start, end, first, last in SequenceMatcher(None, old, new, False).get_opcodes():
        if kind == "equal":
            continue
        if kind == "delete" and old[start] == "" and old[end : end + 1] == [""]:
            start, end = start + 1, end + 1  # The same, but starts with what is removed.
        around = _scope(old, start)
        if around != scope and around >= place:
            diff.append(f"@@ {old[around].strip()}")
            place = _find(old, diff[-1], place) + 1
        scope = around
        removed = [f"-{line}" for line in old[start:end]]
        # What is only added, or removed after another removed block, needs the line before it.
        if start > place and (not removed or (diff[-1:] and diff[-1][0] in "-~")):
            before = start - 1
        else:
            before = start
        # Whether the first old line to show is the next one with its text.
        while before < start + bool(removed) and old.index(old[before], place) != before:
            before -= 1
        diff += [f" {line}" if line else "" for line in old[before:start]]
        if len(removed) > _LONGEST:
            removed[1:] = [f"~ and {len(removed) - 1} more lines"]
        diff += [*removed, *(f"+{line}" for line in new[first:last])]
        place = end
    return diff


def _scope(old: Sequence[str], place: int) -> int:
    """Return the last line before `place` that starts a class or a function, or -1."""
    return next((line for line in range(place - 1, -1, -1) if _SCOPE.match(old[line])), -1)


def _find(old: Sequence[str], line: str, place: int) -> int:
    """Return the next line of the old text that a line of the diff stands for."""
    for number in range(place, len(old)):
        if (old[number].strip() == line[3:]) if line.startswith("@@ ") else old[number] == line[1:]:
            return number
    raise MisfitError(line)
