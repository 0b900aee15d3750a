"""The text of the project uses no word that the table in CONTRIBUTING.md retires."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "CONTRIBUTING.md"
FOLDERS = ("scaffold", "tools", "benchmarks", "templates", "docs")
FILES = ("README.md", "CONTRIBUTING.md", "keras_scaffold_pytest.py")
_SUFFIXES = {".css", ".jinja", ".js", ".json", ".md", ".py", ".toml", ".yml", ""}
_TABLE = re.compile(r"(?<=\| Not \| Use \|\n)(?:\|.*\|\n)+")
# White space, across lines and the marks of comments.
_GAP = re.compile(r"\s+(?:(?:#|//|\*)\s+)*")


def retired() -> list[tuple[re.Pattern[str], str]]:
    """Return the pattern of each retired word, and what to use instead."""
    (table,) = _TABLE.findall(GUIDE.read_text("utf-8"))
    _, *rows = table.splitlines()
    found = []
    for row in rows:
        words, use = (cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1])
        for word in re.findall("`(.+?)`", words.replace(r"\|", "|")):
            whole = rf"(?<![^\W_])(?:{word})(?![^\W_])"  # An underscore separates words.
            found.append((re.compile(whole, re.IGNORECASE), use))
    return found


# The license, and the code and messages as they were measured.
_QUOTED = ("LICENSE", "mutation.md", "mutation.json")


def hits(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line, the words and the replacement of each retired word in `text`."""
    pieces = _GAP.split(text)
    starts = [0, *accumulate(len(piece) + 1 for piece in pieces)]
    gaps = [0, *accumulate(gap.count("\n") for gap in _GAP.findall(text))]
    for pattern, use in retired():
        for match in pattern.finditer(" ".join(pieces)):
            yield 1 + gaps[bisect(starts, match.start()) - 1], match[0], use


def texts() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            known = path.suffix in _SUFFIXES and path.name not in _QUOTED
            if path.is_file() and known and "__pycache__" not in path.parts:
                yield path
    yield from (ROOT / name for name in FILES)


def test_no_text_uses_a_retired_word() -> None:
    found = []
    for path in texts():
        text = path.read_text("utf-8")
        if path == GUIDE:
            text = _TABLE.sub(lambda table: "\n" * table[0].count("\n"), text)
        where = path.relative_to(ROOT).as_posix()
        found += [f'{where}:{line}: "{word}" -> use "{use}"' for line, word, use in hits(text)]
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize(
    "text",
    [
        "Mended by hand",
        "def test_draws_anew():",
        "a window of 3 by 3",
        "x is\n    # no layer",
        "how many units there are",
        "what was not asked for",
    ],
)
def test_refuses_a_retired_word(text: str) -> None:
    assert [*hits(text)]


@pytest.mark.parametrize(
    "text",
    [
        "recommended, amended",
        "This replaces `place` in several places.",
        "the pooling window of the layer",
        "there is\n    # no layer, and it is no longer built",
        "The class stands in for the built-in.",
        "--by-turn",
    ],
)
def test_accepts_correct_english(text: str) -> None:
    assert not [*hits(text)]


def test_names_the_line() -> None:
    assert [line for line, _, _ in hits("one\n\ntwo is no\nlayer")] == [3]
