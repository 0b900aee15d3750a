"""What a package offers: a class is added to an `__init__.py`, in order, once; all else is kept.

The file is edited as a syntax tree. libcst takes longer to import than to do that, so import this
package where a file is to be edited, and nowhere else.
"""

from __future__ import annotations

import io
import tokenize
from collections.abc import Mapping, Sequence
from typing import Any

from scaffold.errors import ConflictError, ScaffoldError
from scaffold.generation.formatting import black_mode, format_source
from scaffold.package_init.edit import with_export
from scaffold.package_init.read import ALL, NotUnderstoodError

__all__ = ["NotUnderstoodError", "with_export", "with_exports"]

_MARK = b"\xef\xbb\xbf"  # What some editors begin a file in UTF-8 with.


def with_exports(
    data: bytes, classes: Sequence[tuple[str, str]], black: Mapping[str, Any], file: str
) -> bytes:
    """The bytes of an `__init__.py` that offers these classes.

    Args:
        data: The bytes as they are.
        classes: Each as the dotted name of its module, and its own.
        black: The keys of a `[tool.black]` table: what black left alone before, it does after.
        file: What to call it in an error.

    Raises:
        ConflictError: If the file is better edited by hand.
    """
    try:
        text = _decoded(data)
        lines = text.replace("\r\n", "\n")
        newline = "\r\n" if text != lines and lines.replace("\n", "\r\n") == text else "\n"
        before = after = lines if newline == "\r\n" else text
        for module, name in classes:
            after = with_export(after, module, name)
    except NotUnderstoodError as error:
        raise _by_hand(error, classes, file, lists=ALL.encode() in data) from None
    if after == before:
        return data
    if _is_formatted(before, black):
        after = format_source(after, mode=black_mode(black))
    mark = _MARK if data.startswith(_MARK) else b""
    return mark + after.replace("\n", newline).encode("utf-8")


def _decoded(data: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        if encoding in ("utf-8", "utf-8-sig"):
            return data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError):
        pass
    raise NotUnderstoodError("it is not in UTF-8")


def _is_formatted(source: str, black: Mapping[str, Any]) -> bool:
    try:
        return format_source(source, mode=black_mode(black)) == source
    except ScaffoldError:  # It is newer Python than black knows.
        return False


def _by_hand(
    error: NotUnderstoodError, classes: Sequence[tuple[str, str]], file: str, *, lists: bool
) -> ConflictError:
    imports = ", ".join(f"`from {module} import {name}`" for module, name in classes)
    names = ", ".join(f'"{name}"' for _, name in classes)
    listing = f", and {names} to its `{ALL}`" if lists else ""
    instead = f"{error.instead} " if error.instead else ""
    return ConflictError(
        f"{file} is not understood: {error}; nothing was written",
        fix=f"Choose {instead}--no-export, and add by hand {imports}{listing}.",
    )
