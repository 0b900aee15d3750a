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
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def snake_case(name: str) -> str:
    """`VGGBlock` gives `vgg_block`, `Conv2DBlock` `conv2d_block`."""
    return "_".join(word for word in _BREAK.split(name) if word).lower()


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

    folded = {candidate.lower(): candidate for candidate in known}
    matches = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return f". Did you mean `{folded[matches[0]]}`?" if matches else ""


def unprintable(text: str) -> str:
    """The first character of `text` that cannot be seen, as U+..., or nothing."""
    hidden = (c for c in text if unicodedata.category(c) in _HIDDEN)
    found = next(hidden, None)
    return f"U+{ord(found):04X}" if found else ""


def shown(text: str, most: int = 60) -> str:
    """`text` as it may stand in a message: nothing hidden in it, and not too long."""
    seen = "".join("�" if unprintable(c) else c for c in text[:most])
    return seen + "…" * (len(text) > most)
