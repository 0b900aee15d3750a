"""Adding an element between brackets, in order, with each comment where it was.

The whitespace before an element belongs to the comma before it, or to the bracket.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import libcst as cst

Element = TypeVar("Element", cst.Element, cst.ImportAlias)


@dataclass(frozen=True)
class Row(Generic[Element]):
    """Elements, and the whitespace after the opening and before the closing bracket."""

    opening: cst.BaseParenthesizableWhitespace
    elements: Sequence[Element]
    closing: cst.BaseParenthesizableWhitespace

    def with_element(self, index: int, element: Element) -> Row[Element]:
        """Return the row with `element` inserted at `index`."""
        if not self.elements:
            return self._with_first(element)
        if index == len(self.elements):
            return self._with_last(element)
        elements = list(self.elements)
        gap = self._gap(index)
        if index > 0:
            white = _white(elements[index - 1])
            elements[index - 1] = _followed(elements[index - 1], _on_its_line(white))
            if isinstance(gap, cst.ParenthesizedWhitespace):
                gap = gap.with_changes(empty_lines=_lines(white))
        elements.insert(index, _followed(element, gap))
        return Row(self.opening, elements, self.closing)

    def _with_first(self, element: Element) -> Row[Element]:
        if not isinstance(self.opening, cst.ParenthesizedWhitespace):
            return Row(self.opening, [element], self.closing)
        opening = self.opening.with_changes(last_line=cst.SimpleWhitespace("    "))
        closing = cst.ParenthesizedWhitespace(indent=True)
        return Row(opening, [_followed(element, cst.SimpleWhitespace(""))], closing)

    def _with_last(self, element: Element) -> Row[Element]:
        *others, last = self.elements
        gap, closing = self._gap(len(self.elements)), self.closing
        if isinstance(gap, cst.ParenthesizedWhitespace) and isinstance(
            closing, cst.ParenthesizedWhitespace
        ):  # A comment after the last one, on its line, is about it.
            gap = gap.with_changes(first_line=closing.first_line)
            closing = closing.with_changes(first_line=cst.TrailingWhitespace())
        ends_in_comma = isinstance(last.comma, cst.Comma)
        if ends_in_comma and (others or isinstance(closing, cst.ParenthesizedWhitespace)):
            element = _followed(element, cst.SimpleWhitespace(""))
        return Row(self.opening, [*others, _followed(last, gap), element], closing)

    def _gap(self, index: int) -> cst.BaseParenthesizableWhitespace:
        """Return the whitespace that separates elements around `index`, without comments."""
        if len(self.elements) == 1:
            white = self.opening
        else:
            white = _white(self.elements[min(max(index - 1, 0), len(self.elements) - 2)])
        if isinstance(white, cst.ParenthesizedWhitespace):
            return white.with_changes(first_line=cst.TrailingWhitespace(), empty_lines=[])
        return cst.SimpleWhitespace(" ")


def place(keys: Sequence[Any], key: Any) -> int:
    """Return where `key` goes among `keys`: in order if they are in order, else at the end."""
    in_order = list(keys) == sorted(keys)
    return sum(other <= key for other in keys) if in_order else len(keys)


def _followed(element: Element, white: cst.BaseParenthesizableWhitespace) -> Element:
    comma = element.comma if isinstance(element.comma, cst.Comma) else cst.Comma()
    return element.with_changes(comma=comma.with_changes(whitespace_after=white))


def _white(element: cst.Element | cst.ImportAlias) -> cst.BaseParenthesizableWhitespace:
    assert isinstance(element.comma, cst.Comma)
    return element.comma.whitespace_after


def _lines(white: cst.BaseParenthesizableWhitespace) -> Sequence[cst.EmptyLine]:
    return white.empty_lines if isinstance(white, cst.ParenthesizedWhitespace) else ()


def _on_its_line(white: cst.BaseParenthesizableWhitespace) -> cst.BaseParenthesizableWhitespace:
    """Return `white` without the comment lines that are about the next element."""
    if isinstance(white, cst.ParenthesizedWhitespace):
        return white.with_changes(empty_lines=[])
    return white
