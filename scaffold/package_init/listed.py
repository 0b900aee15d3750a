"""A literal `__all__`: the names in it, and adding one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from scaffold.generation.imports import Key, kind
from scaffold.package_init.read import ALL, Init, NotUnderstoodError, Statement
from scaffold.package_init.splice import Row, place
from scaffold.text import natural


@dataclass(frozen=True)
class Listed:
    """The one literal that a file sets `__all__` to.

    Args:
        index: The index of its line among the statements.
        part: Its index in that line.
        value: The list or tuple.
        elements: Its elements, all strings.
    """

    index: int
    part: int
    value: cst.List | cst.Tuple
    elements: Sequence[cst.Element]

    @classmethod
    def find(cls, init: Init) -> Listed | None:
        """Find the literal of a file, if it has one.

        Raises:
            NotUnderstoodError: If its `__all__` is not one literal of strings.
        """
        lines = [number for _, number in init.bound.get(ALL, ())]
        if not lines and ALL not in init.used:
            return None
        if len(lines) == 1 and ALL not in init.used:
            for index, line in enumerate(init.tree.body):
                parts = line.body if isinstance(line, cst.SimpleStatementLine) else ()
                for part, statement in enumerate(parts):
                    value = _value(statement)
                    if value is not None and (elements := _texts(value)) is not None:
                        return cls(index, part, value, elements)
        where = f" (line {max(lines)})" if lines else ""
        raise NotUnderstoodError(f"its `{ALL}` is not a plain list of names{where}")

    def with_name(self, line: Statement, name: str) -> Statement:
        """Return the line of `__all__` with one more name, unless it is already there."""
        assert isinstance(line, cst.SimpleStatementLine)
        names = [_text(element) for element in self.elements]
        if name in names:
            return line
        quote = _string(self.elements[-1]).quote if names else '"'
        element = cst.Element(cst.SimpleString(f"{quote}{name}{quote}"))
        index = place([_key(one) for one in names], _key(name))
        parts = list(line.body)
        changed = _spliced(self.value, self.elements, index, element)
        parts[self.part] = parts[self.part].with_changes(value=changed)
        return line.with_changes(body=parts)


def _key(name: str) -> Key:
    """Return the key that ruff sorts `__all__` by, in its rule RUF022."""
    return kind(name), natural(name)


def _value(statement: cst.BaseSmallStatement) -> cst.List | cst.Tuple | None:
    match statement:
        case cst.Assign(
            targets=[cst.AssignTarget(target=cst.Name(value="__all__"))],
            value=cst.List() | cst.Tuple() as value,
        ):
            return value
        case cst.AnnAssign(
            target=cst.Name(value="__all__"), value=cst.List() | cst.Tuple() as value
        ):
            return value
    return None


def _texts(value: cst.List | cst.Tuple) -> list[cst.Element] | None:
    """Return the elements if all of them are plain strings."""
    elements = [one for one in value.elements if isinstance(one, cst.Element)]
    plain = len(elements) == len(value.elements) and all(
        isinstance(one.value, cst.SimpleString) and isinstance(one.value.evaluated_value, str)
        for one in elements
    )
    return elements if plain else None


def _string(element: cst.Element) -> cst.SimpleString:
    assert isinstance(element.value, cst.SimpleString)
    return element.value


def _text(element: cst.Element) -> str:
    return str(_string(element).evaluated_value)


def _spliced(
    value: cst.List | cst.Tuple, elements: Sequence[cst.Element], index: int, element: cst.Element
) -> cst.List | cst.Tuple:
    if isinstance(value, cst.List):
        row = Row(value.lbracket.whitespace_after, elements, value.rbracket.whitespace_before)
        row = row.with_element(index, element)
        return value.with_changes(
            lbracket=value.lbracket.with_changes(whitespace_after=row.opening),
            elements=row.elements,
            rbracket=value.rbracket.with_changes(whitespace_before=row.closing),
        )
    if not value.lpar:
        none = cst.SimpleWhitespace("")
        row = Row(none, elements, none).with_element(index, element)
        return value.with_changes(elements=row.elements)
    *outer, inner = value.lpar
    first, *others = value.rpar
    row = Row(inner.whitespace_after, elements, first.whitespace_before)
    row = row.with_element(index, element)
    return value.with_changes(
        lpar=[*outer, inner.with_changes(whitespace_after=row.opening)],
        elements=row.elements,
        rpar=[first.with_changes(whitespace_before=row.closing), *others],
    )
