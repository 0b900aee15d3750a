"""Checks of TOML tables: errors name the table, the key and its nearest match."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scaffold.errors import UsageError
from scaffold.text import nearest, shown


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
    table: Mapping[str, Any], keys: Iterable[str], where: str, needed: Iterable[str] = ()
) -> None:
    """Refuse a table with a key that is not in `keys`, or without a required one.

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
                f"{where} has the unknown key `{shown(key)}`{nearest(key, known)}", fix=fix
            )
