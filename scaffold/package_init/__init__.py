"""What a package exports: a class is added to an `__init__.py`, in order, once; the rest is kept.

The file is edited as a syntax tree. Importing libcst takes longer than the edit, so import this
package only where a file is edited.
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

_MARK = b"\xef\xbb\xbf"  # Some editors begin UTF-8 files with it.


def with_exports(
    data: bytes, classes: Sequence[tuple[str, str]], black: Mapping[str, Any], file: str
) -> bytes:
    """Return the bytes of an `__init__.py` that exports these classes.

    Args:
        data: The current bytes.
        classes: The dotted module and the name of each class.
        black: The keys of a `[tool.black]` table; a file that black left unchanged stays so.
        file: The name of the file in an error.

    Raises:
        ConflictError: If the file has to be edited by hand.
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
    raise NotUnderstoodError("it is not UTF-8")


def _is_formatted(source: str, black: Mapping[str, Any]) -> bool:
    try:
        return format_source(source, mode=black_mode(black)) == source
    except ScaffoldError:  # It is newer Python than black supports.
        return False


def _by_hand(
    error: NotUnderstoodError, classes: Sequence[tuple[str, str]], file: str, *, lists: bool
) -> ConflictError:
    imports = ", ".join(f"`from {module} import {name}`" for module, name in classes)
    names = ", ".join(f'"{name}"' for _, name in classes)
    listing = f" and {names} to its `{ALL}`" if lists else ""
    instead = f"{error.instead} " if error.instead else ""
    return ConflictError(
        f"can't edit {file}: {error}; nothing was written",
        fix=f"Use {instead}--no-export and add {imports}{listing} by hand.",
    )
