"""Formulas of the manifests as MathML.

A formula is written like code, with words in between: `a @ b / sqrt(c), or f(x[:, t]) for each t`.
Anything that is not mathematics is copied unchanged, so every formula can be rendered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_PIECE = re.compile(r"(\s*)(\d+(?:\.\d+)?(?:e-?\d+)?|[^\W\d]\w*|\.\.\.|\*\*|\|\||\S)")
_NAME = re.compile(r"[^\W\d]\w*")
# Names with a subscript: `x_i` and `block_1`, `W_label`, `b1`.
_BOUND = re.compile(r"(.+)_([^\W_]|\d+)|([^\W\d_])_(\w+)|([^\W\d_])(\d+)")
_TEXT = "and by each for from if in is of or otherwise over step the to top where with"
_LETTERS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho "
    "final_sigma sigma tau upsilon phi chi psi omega"
)
_GREEK = {
    name: chr(ord("\N{GREEK SMALL LETTER ALPHA}") + number)
    for number, name in enumerate(_LETTERS.split())
}
_WORDS = frozenset(_TEXT.split())
_SIGNS = {
    "*": "\N{MULTIPLICATION SIGN}",
    "@": "\N{DOT OPERATOR}",
    "-": "\N{MINUS SIGN}",
    "~": "\N{TILDE OPERATOR}",
    "||": "\N{PARALLEL TO}",
}
_CLOSING = {"(": ")", "[": "]", "|": "|"}
_ENDS = (",", ";")
_BETWEEN = (*_ENDS, ":", "=", "~", "||", "<", ">", ")", "]")
_PRODUCT = ("*", "@", "/")
_POWER = ("**", "^")
_SPACE = '<mspace width="0.4em"/>'
_APPLIED = "<mo>\N{FUNCTION APPLICATION}</mo>"
_BAR = ' stretchy="false"'
_PRIME = '<mo lspace="0" rspace="0">\N{PRIME}</mo>'
_DOTS = "<mi>\N{HORIZONTAL ELLIPSIS}</mi>"


def mathml(formula: str) -> str:
    """Return the formula as a `math` element; each definition after a comma gets its own line."""
    lines = _Parser(formula).lines()
    if len(lines) == 1:
        inside = lines[0]
    else:
        rows = "".join(_tag("mtr", _tag("mtd", line)) for line in lines)
        inside = _tag("mtable", rows, ' displaystyle="true"')
    return f'<math display="block" alttext="{escape(formula)}">{inside}</math>'


@dataclass(frozen=True)
class _Set:
    """A rendered piece.

    Args:
        text: Its MathML.
        bare: The same without enclosing parentheses.
    """

    text: str
    bare: str

    @classmethod
    def plain(cls, text: str) -> _Set:
        return cls(text, text)


class _Parser:
    """Parses a formula in one pass; each method renders what starts at the current piece."""

    def __init__(self, formula: str) -> None:
        found = _PIECE.findall(formula.strip())
        self._pieces: list[str] = [piece for _, piece in found] + [""]
        self._spaced = [bool(space) for space, _ in found] + [False]
        self._at = 0
        self._scripts = 0

    def lines(self) -> list[str]:
        """Return the lines of the formula, split before each definition after a comma."""
        lines: list[list[str]] = [[]]
        while self._piece:
            parts = self._items(_ENDS)
            # `outputs, states = ...` defines both.
            if _sign("=") in parts and any("<mo>" in part for part in lines[-1][:-1]):
                lines.append([])
            lines[-1] += parts
            if self._piece:
                lines[-1].append(_sign(self._take()))
        return [_row(line) for line in lines]

    @property
    def _piece(self) -> str:
        return self._pieces[self._at]

    def _take(self) -> str:
        piece = self._piece
        self._at += 1
        return piece

    def _items(self, ends: Sequence[str]) -> list[str]:
        """Render terms, and what is between them."""
        parts: list[str] = []
        operand = False
        while self._piece and self._piece not in ends:
            if self._at_word():
                parts.append(self._words(parts))
                operand = False
            elif self._piece in _BETWEEN or (self._piece == "|" and operand):
                parts.append(_sign(self._piece, _BAR if self._piece == "|" else ""))
                self._at += 1
                operand = False
            else:
                if operand and self._spaced[self._at]:
                    parts.append(_SPACE)
                parts.append(self._sum())
                operand = True
        return parts

    def _at_word(self) -> bool:
        piece, after = self._pieces[self._at : self._at + 2]
        if piece == "a":  # An article, before a word.
            return len(after) > 1 and after not in _WORDS and bool(_NAME.fullmatch(after))
        return piece in _WORDS and (after not in _CLOSING or self._spaced[self._at + 1])

    def _words(self, before: Sequence[str]) -> str:
        words = []
        while self._piece and self._at_word():
            words.append(self._take())
        space = "\N{NO-BREAK SPACE}"
        return _tag("mtext", f"{space if before else ''}{' '.join(words)}{space}")

    def _sum(self) -> str:
        parts = [] if self._piece in ("+", "-") else [self._product()]
        while self._piece in ("+", "-"):
            parts += [_sign(self._take()), self._product()]
        return _row(parts)

    def _product(self) -> str:
        parts = [self._factor()]
        while self._piece in _PRODUCT:
            sign = self._take()
            factor = self._factor()
            if sign == "/" and not self._scripts:
                above = parts.pop()
                parts.append(_Set.plain(_tag("mfrac", above.bare + factor.bare)))
            else:
                parts += [_Set.plain(_sign(sign)), factor]
        return _row([part.text for part in parts])

    def _factor(self) -> _Set:
        if self._piece == "-":
            return _Set.plain(_row([_sign(self._take()), self._factor().text]))
        whole = self._followed(self._operand())
        while self._piece in _POWER:
            self._at += 1
            power = _tag("msup", whole.text + self._script())
            whole = self._followed(_Set.plain(power))
        return whole

    def _followed(self, whole: _Set) -> _Set:
        """Render an operand with the arguments, indices and primes attached to it."""
        while not self._spaced[self._at]:
            piece, after = self._piece, self._pieces[self._at + 1 : self._at + 2]
            if piece == "(":
                text = _row([whole.text, _APPLIED, self._fenced().text])
            elif piece == "[":
                text = _row([whole.text, self._fenced().text])
            elif piece == "'":
                self._at += 1
                text = _tag("msup", whole.text + _PRIME)
            elif piece == "." and after == ["T"]:
                self._at += 2
                text = _tag("msup", whole.text + _name("T"))
            else:
                break
            whole = _Set.plain(text)
        return whole

    def _operand(self) -> _Set:
        piece = self._piece
        if piece in _CLOSING:
            return self._fenced()
        if not piece or piece in _BETWEEN:
            return _Set.plain("<mrow></mrow>")
        self._at += 1
        touched = "" if self._spaced[self._at] else self._piece
        if piece == "sqrt" and touched == "(":
            return _Set.plain(_tag("msqrt", self._fenced().bare))
        if piece == "abs" and touched == "(":
            inside = self._fenced().bare
            return _Set.plain(_row([_sign("|"), inside, _sign("|")]))
        if piece.endswith("_") and touched == "(":
            return _Set.plain(_tag("msub", _name(piece[:-1]) + self._script()))
        if piece == "...":
            return _Set.plain(_DOTS)
        if piece[0].isdigit():
            return _Set.plain(_tag("mn", piece))
        return _Set.plain(_name(piece) if _NAME.fullmatch(piece) else _sign(piece))

    def _script(self) -> str:
        self._scripts += 1
        signs = [_sign(self._take())] if self._piece == "-" else []
        whole = _row([*signs, self._operand().bare])
        self._scripts -= 1
        return whole

    def _fenced(self) -> _Set:
        opening = self._take()
        closing = _CLOSING[opening]
        inside = _row(self._items((closing,)))
        ended = [_sign(self._take())] if self._piece else []
        whole = _row([_sign(opening), inside, *ended])
        return _Set(whole, inside if opening == "(" else whole)


def _tag(name: str, inside: str, attributes: str = "") -> str:
    return f"<{name}{attributes}>{inside}</{name}>"


def _sign(text: str, attributes: str = "") -> str:
    return _tag("mo", escape(_SIGNS.get(text, text), quote=False), attributes)


def _name(text: str) -> str:
    bound = _BOUND.fullmatch(text)
    if bound is None:
        return _tag("mi", _GREEK.get(text, text))
    base, below = (group for group in bound.groups() if group)
    index = _tag("mn" if below.isdigit() else "mi", below)
    return _tag("msub", _tag("mi", _GREEK.get(base, base)) + index)


def _row(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else _tag("mrow", "".join(parts))
