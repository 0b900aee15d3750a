"""Checks of TOML tables: errors name the table, the key and its nearest match, and its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from scaffold.errors import Place, UsageError
from scaffold.text import nearest, shown

# A key that no file has, for one that is sought.
_SOUGHT = "sought-by-scaffold"
_VALUE = re.compile(r"[ \t]*=[ \t]*(?=\S)")
_AT = re.compile(r"\(at line (\d+), column (\d+)\)")
# Longer files and lines are not searched, nor shown.
_LONGEST_FILE = 100_000
_LONGEST_LINE = 300
_MOST_MATCHES = 50


@dataclass(frozen=True)
class Entry:
    """A key of a TOML file, by the keys and indices of the tables that lead to it.

    `tomllib` gives no lines, so a place is sought: where the file has `rank` followed by `=`, `.`
    or `]`, another key is put in its place, and `tomllib` says whether that is where this key was.
    So a place is right, or there is none.

    Args:
        file: The text of the file.
        path: Its path.
        keys: The keys and indices from the top.
    """

    file: str
    path: str
    keys: tuple[str | int, ...] = ()

    def child(self, *keys: str | int) -> Entry:
        """Return the entry below this one."""
        return replace(self, keys=(*self.keys, *keys))

    def name(self) -> Place | None:
        """Return where the key is first named, if that is certain."""
        found = self._named()
        return self._place(*found) if found else None

    def value(self) -> Place | None:
        """Return where the value is if it is on one line, else where the key is."""
        found = self._named()
        if found and (equals := _VALUE.match(self.file, found[1])):
            value = _below(tomllib.loads(self.file), self.keys)
            length = _length(self.file[equals.end() :].partition("\n")[0], value)
            if length:
                return self._place(equals.end(), equals.end() + length)
        return self._place(*found) if found else None

    def mistake(self, error: Exception) -> Place | None:
        """Return where `tomllib` says that the file is not TOML."""
        if not (said := _AT.search(str(error))):
            return None
        line, column = map(int, said.groups())
        start = sum(len(before) + 1 for before in self.file.split("\n")[: line - 1]) + column - 1
        return self._place(start, start + 1)

    def _named(self) -> tuple[int, int] | None:
        """Return the start and the end of the key, quotes included."""
        *parents, key = self.keys or [0]
        if not isinstance(key, str) or len(self.file) > _LONGEST_FILE or _SOUGHT in self.file:
            return None
        bare = re.escape(key)
        pattern = rf"(?<![\w\"'-])(?:{bare}|\"{bare}\"|'{bare}')(?=[ \t]*[=.\]])"
        for number, match in enumerate(re.finditer(pattern, self.file)):
            if number == _MOST_MATCHES:
                return None
            other = f"{self.file[: match.start()]}{_SOUGHT}{self.file[match.end() :]}"
            try:
                table = _below(tomllib.loads(other), parents)
            except (ValueError, LookupError, TypeError):
                continue  # It is part of a value, or of a key elsewhere.
            if isinstance(table, dict) and _SOUGHT in table:
                return match.span()
        return None

    def _place(self, start: int, end: int) -> Place | None:
        before = self.file[:start]
        first = before.rfind("\n") + 1
        text = self.file[first:].partition("\n")[0].rstrip("\r")
        if len(text) > _LONGEST_LINE:
            return None
        return Place(text, start - first, end - first, self.path, before.count("\n") + 1)


# For a table that is from no file.
NOWHERE = Entry("", "")


def _below(data: Any, keys: Iterable[str | int]) -> Any:
    for key in keys:
        data = data[key]
    return data


def _length(text: str, value: Any) -> int:
    """Return the length of the text of `value` at the start of a line, 0 if it is not there."""
    ends = range(1, len(text[:_LONGEST_LINE]) + 1)
    end = next((end for end in ends if _reads_as(text[:end], value)), 0)
    while 0 < end < len(text) and text[end] not in " \t#" and _reads_as(text[: end + 1], value):
        end += 1  # As in `1.50`, of which `1.5` is the same number.
    return end


def _reads_as(text: str, value: Any) -> bool:
    try:
        read = tomllib.loads(f"x = {text}")["x"]
    except ValueError:
        return False
    return type(read) is type(value) and bool(read == value)


def as_table(value: Any, where: str, fix: str = "Write it as keys and values.") -> dict[str, Any]:
    """Return `value` if it is a table.

    Raises:
        UsageError: If it is not; the message names it by `where`.
    """
    if not isinstance(value, dict):
        raise UsageError(f"{where} must be a table", fix=fix)
    return value


def as_text(value: Any, where: str, fix: str = 'Put it in quotes: `"..."`.') -> str:
    """Return `value` if it is a string.

    Raises:
        UsageError: If it is not; the message names it by `where`.
    """
    if not isinstance(value, str):
        raise UsageError(f"{where} must be a string", fix=fix)
    return value


def check_keys(
    table: Mapping[str, Any],
    keys: Iterable[str],
    where: str,
    needed: Iterable[str] = (),
    at: Entry = NOWHERE,
) -> None:
    """Refuse a table with a key that is not in `keys`, or without a required one.

    Args:
        table: The table.
        keys: All keys that it may have.
        where: What messages call it.
        needed: The keys that it must have.
        at: Where it is in a file.

    Raises:
        UsageError: For the first such key.
    """
    known = list(keys)
    fix = f"The keys are {', '.join(known)}."
    for key in needed:
        if key not in table:
            raise UsageError(f"{where} has no key `{key}`", fix=fix)
    for key in table:
        if key not in known:
            raise UsageError(
                f"{where} has the unknown key `{shown(key)}`{nearest(key, known)}",
                fix=fix,
                place=at.child(key).name(),
            )
