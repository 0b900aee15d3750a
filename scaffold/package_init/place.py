"""Where an import goes among the statements of a file, and the blank lines around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import libcst as cst

from scaffold.generation.imports import Key
from scaffold.package_init.read import Import, Init, Statement
from scaffold.package_init.splice import place

_BLANK = cst.EmptyLine(indent=False)


def with_import(init: Init, body: Sequence[Statement], lines: Sequence[str]) -> list[Statement]:
    """Return the statements with one more import, and with what follows it.

    Args:
        init: The file.
        body: All of its statements, edited or not.
        lines: The import, and what follows it.
    """
    line, *rest = (_parsed(text) for text in lines)
    key = init.key_of(line)
    block = _block(init.imports_at_top(), key)
    index = _index(block, key) if block else _start(init.tree)
    before, after = list(body[:index]), list(body[index:])
    old = {one.index: one.key[0] for one in block}
    if old.get(index - 1) == key[0]:
        leading: Sequence[cst.EmptyLine] = ()
    elif index in old and index - 1 not in old:
        # A comment above a block of imports is about all of it.
        leading = _leading(after[0])
        after[0] = _led(after[0], () if old[index] == key[0] else [_BLANK])
    else:
        leading = [_BLANK] if before or _has_comment(init.tree.header) else ()
        if old.get(index) == key[0]:
            comments = _leading(after[0])[_blanks(after[0]) :]
            after[0] = _led(after[0], [_BLANK, *comments] if comments else ())
    if not block and after:
        least = 2 if isinstance(after[0], cst.ClassDef | cst.FunctionDef) else 1
        missing = max(least - _blanks(after[0]), 0)
        after[0] = _led(after[0], [*[_BLANK] * missing, *_leading(after[0])])
    added = [_led(line, leading), *(_led(one, [_BLANK]) for one in rest)]
    return [*before, *added, *after]


def _parsed(text: str) -> cst.SimpleStatementLine:
    line = cst.parse_statement(text)
    assert isinstance(line, cst.SimpleStatementLine)
    return line


def _block(imports: Sequence[Import], key: Key) -> list[Import]:
    """Return the run of imports that the new one belongs to; empty if the file has none."""
    runs: list[list[Import]] = []
    for one in imports:
        if not runs or runs[-1][-1].index != one.index - 1:
            runs.append([])
        runs[-1].append(one)
    fitting = [run for run in runs if any(one.key[0] == key[0] for one in run)]
    return fitting[-1] if fitting else runs[0] if runs else []


def _index(block: Sequence[Import], key: Key) -> int:
    section = [one for one in block if one.key[0] == key[0]]
    if not section:
        section = [one for one in block if one.key[0] < key[0]]
    if not section:
        return block[0].index
    position = place([one.key for one in section], key)
    return section[position].index if position < len(section) else section[-1].index + 1


def _start(tree: cst.Module) -> int:
    """Return where imports begin: after the docstring."""
    return int(tree.get_docstring() is not None)


def _has_comment(lines: Sequence[cst.EmptyLine]) -> bool:
    return bool(lines) and lines[-1].comment is not None


def _leading(statement: Statement) -> Sequence[cst.EmptyLine]:
    lines: Sequence[cst.EmptyLine] = cast(cst.SimpleStatementLine, statement).leading_lines
    return lines


def _led(statement: Statement, lines: Sequence[cst.EmptyLine]) -> Statement:
    return statement.with_changes(leading_lines=lines)


def _blanks(statement: Statement) -> int:
    """Return the number of blank lines right above a statement or its comments."""
    count = 0
    for line in _leading(statement):
        if line.comment is not None:
            break
        count += 1
    return count
