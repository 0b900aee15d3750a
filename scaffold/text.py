"""Text: nearest matches, the case of names, invisible characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_BREAK = re.compile(
    r"(?<=[a-z0-9])(?=[A-Z][a-z])"  # my|Conv, conv2|Block
    r"|(?<=[A-Z])(?=[A-Z](?!v\d)[a-z])"  # VGG|Block
    r"|(?<=[a-z])(?=[A-Z])"  # my|LSTM
    r"|(?<=[0-9])(?=[A-CE-Z][0-9])"  # 50|V2, but conv2d
    r"|(?<=[A-Z])(?=v[0-9])"  # CBAM|v2
    r"|_+"
)
_NUMBER = re.compile(r"\d+d?(?![a-z])|[^\W\d]+|\d+")
_GUESS = ". Did you mean `{}`?"
_GUESSED = re.compile(re.escape(_GUESS).replace(r"\{\}", "([^`]+)") + r"\Z")
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def snake_case(name: str) -> str:
    """Convert a name to snake case: `VGGBlock` to `vgg_block`, `Conv2DBlock` to `conv2d_block`."""
    return "_".join(word for word in _BREAK.split(name) if word).lower()


def parts(name: str) -> list[str]:
    """Split a name into words and numbers: `ResNet152Block` into `res`, `net`, `152`, `block`."""
    return [part for word in snake_case(name).split("_") for part in _NUMBER.findall(word)]


def folded(name: str) -> str:
    """Return a name without case and separators: `ResNet152` and `res_net152` are the same."""
    return re.sub(r"[\W_]+", "", name).lower()


def camel_case(name: str) -> str:
    """Convert a name to camel case: `my_conv` to `MyConv`."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[\W_]+", name))


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that reads digits as a number: `conv2` comes before `conv10`."""
    return tuple(_natural(part) for part in re.findall("[0-9]+|.", text, re.DOTALL))


def _natural(part: str) -> tuple[int, int, str]:
    if not "0" <= part[0] <= "9":
        return ord(part), 0, ""
    # Digits that begin with 0 are not a number, as in isort and ruff.
    return (ord("0"), 0, part) if part[0] == "0" else (ord("0"), int(part), "")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `. Did you mean `x`?` if a known word is close to `word`, else an empty string."""
    import difflib

    spelled = {candidate.lower(): candidate for candidate in known}
    for typed in (word.lower(), re.sub(r"\W+", "", word).lower()):
        typos = (len(typed) + 3) // 4 if len(typed) > 1 else 0
        found = closest(typed, spelled, typos)
        # If half of the word differs, it is another word.
        if found and difflib.SequenceMatcher(None, typed, found).ratio() > 0.6:
            return _GUESS.format(spelled[found])
    return ""


def suggested(message: str) -> tuple[str, ...]:
    """Return the word that `nearest` has put at the end of a message, if it has."""
    return tuple(_GUESSED.findall(message))


def closest(word: str, known: Iterable[str], typos: int) -> str:
    """Return the known word nearest to `word`, with at most `typos` typos, or an empty string."""
    near = [(_distance(word, other, typos), other) for other in known if other]
    distance, other = min(near, default=(typos + 1, ""), key=lambda one: one[0])
    return other if distance <= typos else ""


def _distance(word: str, other: str, most: int) -> int:
    """Return the edit distance, a swap counting as one; above `most`, any greater number."""
    if abs(len(word) - len(other)) > most:
        return most + 1
    before, last = list[int](), list(range(len(other) + 1))
    for i, letter in enumerate(word, start=1):
        row = [i]
        for j, wanted in enumerate(other, start=1):
            row.append(min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != wanted)))
            if i > 1 and j > 1 and (letter, word[i - 2]) == (other[j - 2], wanted):
                row[j] = min(row[j], before[j - 2] + 1)
        if min(row) > most:
            return most + 1
        before, last = last, row
    return last[-1]


def unprintable(text: str) -> str:
    """Return the first invisible character of `text` as U+..., or an empty string."""
    hidden = (c for c in text if unicodedata.category(c) in _HIDDEN)
    found = next(hidden, None)
    return f"U+{ord(found):04X}" if found else ""


def shown(text: str, most: int = 60) -> str:
    """Return `text` made safe for a message: no invisible characters, and not too long."""
    seen = "".join("�" if unprintable(c) else c for c in text[:most])
    return seen + "…" * (len(text) > most)
