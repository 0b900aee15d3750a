"""Words: the nearest match of a mistyped one, the case of names, what cannot be seen."""

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
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def snake_case(name: str) -> str:
    """`VGGBlock` gives `vgg_block`, `Conv2DBlock` `conv2d_block`."""
    return "_".join(word for word in _BREAK.split(name) if word).lower()


def parts(name: str) -> list[str]:
    """The words and the numbers of a name: `ResNet152Block` gives `res`, `net`, `152`, `block`."""
    return [part for word in snake_case(name).split("_") for part in _NUMBER.findall(word)]


def folded(name: str) -> str:
    """A name without its case and its breaks: `ResNet152` and `res_net152` are the same."""
    return re.sub(r"[\W_]+", "", name).lower()


def camel_case(name: str) -> str:
    """`my_conv` gives `MyConv`."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[\W_]+", name))


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key to sort by that takes digits for a number: `conv2` stands before `conv10`."""
    return tuple(_natural(part) for part in re.findall("[0-9]+|.", text, re.DOTALL))


def _natural(part: str) -> tuple[int, int, str]:
    if not "0" <= part[0] <= "9":
        return ord(part), 0, ""
    # What begins with 0 is no number, as for isort and ruff.
    return (ord("0"), 0, part) if part[0] == "0" else (ord("0"), int(part), "")


def nearest(word: str, known: Iterable[str]) -> str:
    """`. Did you mean `x`?` where a known word is near `word`, else nothing."""
    import difflib

    spelled = {candidate.lower(): candidate for candidate in known}
    for typed in (word.lower(), re.sub(r"\W+", "", word).lower()):
        slips = (len(typed) + 3) // 4 if len(typed) > 1 else 0
        found = closest(typed, spelled, slips)
        # A slip in half of a word makes another word of it.
        if found and difflib.SequenceMatcher(None, typed, found).ratio() > 0.6:
            return f". Did you mean `{spelled[found]}`?"
    return ""


def closest(word: str, known: Iterable[str], slips: int) -> str:
    """The known word that differs from `word` by the fewest slips, at most so many, or nothing."""
    near = [(_distance(word, other, slips), other) for other in known if other]
    distance, other = min(near, default=(slips + 1, ""), key=lambda one: one[0])
    return other if distance <= slips else ""


def _distance(word: str, other: str, most: int) -> int:
    """How many letters are wrong, missing, too many or swapped; past `most`, just more than it."""
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
    """The first character of `text` that cannot be seen, as U+..., or nothing."""
    hidden = (c for c in text if unicodedata.category(c) in _HIDDEN)
    found = next(hidden, None)
    return f"U+{ord(found):04X}" if found else ""


def shown(text: str, most: int = 60) -> str:
    """`text` as it may stand in a message: nothing hidden in it, and not too long."""
    seen = "".join("�" if unprintable(c) else c for c in text[:most])
    return seen + "…" * (len(text) > most)
