"""Attributes that are numbers: `int`, `float`, and tuples of ints."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from scaffold.generation.attributes.base import REQUIRED, AttributeType, Default, Value
from scaffold.generation.attributes.constraint import ANY, Constraint, Number

_DIGITS = 18
_LARGEST = 10**_DIGITS - 1
_INT = re.compile(rf"[-+]?\d{{1,{_DIGITS}}}")


@dataclass(frozen=True)
class _Number(AttributeType):
    """A number in a range."""

    takes: ClassVar[str] = "{>0}"
    whole: ClassVar[bool]
    constraint: Constraint = ANY

    @classmethod
    def declare(cls, parameters: str | None, constraint: str | None) -> Self:
        _no_parameters(cls.keyword, parameters)
        return cls(_satisfiable(constraint, whole=cls.whole))

    @property
    def bounds(self) -> str:
        return str(self.constraint)

    @property
    def error(self) -> str:
        return "ValueError" if self.constraint else "TypeError"

    def accepted(self) -> tuple[Value, ...]:
        return tuple(_edges(self.constraint, whole=self.whole))


class Int(_Number):
    """A whole number."""

    keyword: ClassVar[str] = "int"
    whole: ClassVar[bool] = True

    def parse(self, text: str) -> Value:
        if _INT.fullmatch(text) is None:
            raise ValueError(f"`{text}` is not an int")
        return self.accept(int(text))

    def accept(self, value: object) -> Value:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"{value!r} is not an int")
        if abs(value) > _LARGEST:
            raise ValueError(f"an int can have at most {_DIGITS} digits")
        return _in_range(value, self.constraint)

    def phrase(self) -> str:
        return _phrase("int", self.constraint)

    def changed(self, default: Default) -> Value:
        return _other(_whole_candidates(default, self.constraint), default)

    def refused(self) -> tuple[Value, ...]:
        return (*_outside(self.constraint, whole=True), 2.5, True, "2")


class Float(_Number):
    """A finite real number; ints are accepted."""

    keyword: ClassVar[str] = "float"
    whole: ClassVar[bool] = False

    def parse(self, text: str) -> Value:
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"`{text}` is not a float") from None
        return self.accept(value)

    def accept(self, value: object) -> Value:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ValueError(f"{value!r} is not a float")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ValueError("a float must be finite: not inf, nan, or over 1.8e308")
        return _in_range(number, self.constraint)

    def phrase(self) -> str:
        return _phrase("float", self.constraint)

    def changed(self, default: Default) -> Value:
        return _other(_real_candidates(self.constraint), default)

    def refused(self) -> tuple[Value, ...]:
        return (*_outside(self.constraint, whole=False), "1.0")


@dataclass(frozen=True)
class Ints(AttributeType):
    """A tuple of ints, of a fixed length (one int stands for all) or of any length.

    For a `shape`, all ints are written out: one does not stand for the others.
    """

    keyword: ClassVar[str] = "ints"
    takes: ClassVar[str] = "(2){>0}"
    length: int | None = None
    constraint: Constraint = ANY
    shape: bool = False

    @classmethod
    def declare(cls, parameters: str | None, constraint: str | None) -> Self:
        bounds = _satisfiable(constraint, whole=True)
        if parameters is None:
            return cls(None, bounds)
        if not parameters.strip().isdecimal() or not 1 <= int(parameters) <= 9:
            raise ValueError(f"`ints({parameters})` needs a length from 1 to 9, as in `ints(2)`")
        return cls(int(parameters), bounds)

    def declaration(self) -> str:
        return self.keyword if self.length is None else f"{self.keyword}({self.length})"

    @property
    def bounds(self) -> str:
        return str(self.constraint)

    def as_shape(self) -> Ints:
        return replace(self, shape=True)

    def parse(self, text: str) -> Value:
        inner = text.removeprefix("(").removesuffix(")").rstrip(",")
        items = [item.strip() for item in inner.split(",")] if inner.strip() else []
        if not all(_INT.fullmatch(item) for item in items):
            raise ValueError(f"`{text}` is not a tuple of ints, such as `3` or `3,5`")
        numbers = [int(item) for item in items]
        return self.accept(numbers[0] if len(numbers) == 1 else numbers)

    def accept(self, value: object) -> Value:
        one = isinstance(value, int) and not isinstance(value, bool)
        if one and self.length is not None and not self.one_for_all:
            example = ",".join([str(value)] * (self.length - 1) + ["1"])
            raise ValueError(
                f"{value!r} is one int, but a shape has {self.length}; write `{example}`"
            )
        items = [value] * (self.length or 1) if one else value
        if not isinstance(items, list | tuple):
            raise ValueError(f"{value!r} is not a tuple of ints")
        if self.length is not None and len(items) != self.length:
            raise ValueError(f"{value!r} has {len(items)} ints, not {self.length}")
        return tuple(self._item(item) for item in items)

    def _item(self, item: object) -> int:
        value = Int(self.constraint).accept(item)
        assert isinstance(value, int)
        return value

    @property
    def one_for_all(self) -> bool:
        """Whether one int stands for a whole tuple."""
        return self.length is not None and not self.shape

    @property
    def positive(self) -> bool:
        """Whether the constraint only requires positive ints."""
        return self.bounds in (">0", ">=1")

    def phrase(self) -> str:
        item = _phrase("int", self.constraint, plural=True)
        if self.length is None:
            return f"tuple of {item}"
        if not self.one_for_all:
            return f"tuple of {self.length} {item}"
        one = _phrase("int", self.constraint)
        return f"{one}, or a tuple of {'one' if self.length == 1 else f'{self.length} {item}'}"

    def signature(self, value: Value) -> str:
        if self.length == 1 and isinstance(value, tuple):
            return repr(value[0])
        return repr(value)

    def text(self, value: Value) -> str:
        return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)

    def changed(self, default: Default) -> Value:
        seen = default if isinstance(default, tuple) else ()
        length = self.length or len(seen) + 1
        candidates = _whole_candidates(max(seen, default=0), self.constraint)
        items = [item for item in candidates if item not in seen] or candidates
        rotations = [items[shift:] + items[:shift] for shift in range(2)]
        return _other([tuple((turn * length)[:length]) for turn in rotations], default)

    def refused(self) -> tuple[object, ...]:
        length = self.length or 2
        good = Int(self.constraint).changed(REQUIRED)
        last = [good] * (length - 1)
        outside = [(*last, bad) for bad in (*_outside(self.constraint, whole=True), True, None)]
        lengths = [(good,) * (self.length + 1)] if self.length else []
        alone = [good] if self.shape else []
        return (*outside, *lengths, *alone, 2.5, "2" * length)


def _no_parameters(keyword: str, parameters: str | None) -> None:
    if parameters is not None:
        raise ValueError(f"`{keyword}` takes no parameters in parentheses; put a range in braces")


def _phrase(noun: str, constraint: Constraint, *, plural: bool = False) -> str:
    noun += "s" * plural
    match str(constraint):
        case "":
            return noun
        case ">0" | ">=1" if noun.startswith("int"):
            return f"positive {noun}"
        case ">=0":
            return f"non-negative {noun}"
    return f"{noun} {constraint.phrase()}"


def _in_range(value: Number, constraint: Constraint) -> Number:
    if not constraint.allows(value):
        raise ValueError(f"{value!r} violates the constraint {{{constraint}}}")
    return value


def _satisfiable(text: str | None, *, whole: bool) -> Constraint:
    constraint = ANY if text is None else Constraint.parse(text)
    candidates = _whole_candidates(0, constraint) if whole else _real_candidates(constraint)
    if len(candidates) < 2:
        raise ValueError(f"{{{constraint}}} leaves fewer than two values")
    return constraint


def _whole_candidates(start: Default, constraint: Constraint) -> list[int]:
    origin = start if isinstance(start, int) else 1
    low = math.floor(constraint.lower.value) if constraint.lower else origin
    high = math.ceil(constraint.upper.value) if constraint.upper else origin
    tries = [
        origin + 1,
        origin + 2,
        2,
        3,
        *(low + i for i in range(4)),
        *(high - i for i in range(4)),
    ]
    numbers = (number for number in dict.fromkeys(tries) if abs(number) <= _LARGEST)
    return [number for number in numbers if constraint.allows(number)]


def _real_candidates(constraint: Constraint) -> list[float]:
    low = constraint.lower.value if constraint.lower else None
    high = constraint.upper.value if constraint.upper else None
    tries = [0.5, 0.25, 2.0, 0.75]
    if low is not None and high is not None:
        tries += [low + (high - low) * share for share in (0.5, 0.25, 0.75)]
    elif low is not None:
        tries += [low + step for step in (1.0, abs(low) + 0.5, 0.5, 2 * abs(low) + 1)]
    elif high is not None:
        tries += [high - step for step in (1.0, abs(high) + 0.5, 0.5, 2 * abs(high) + 1)]
    numbers = dict.fromkeys(float(number) for number in tries)
    return [number for number in numbers if constraint.allows(number) and math.isfinite(number)]


def _edges(constraint: Constraint, *, whole: bool) -> list[Number]:
    """Return the minimum and maximum of a range, where it has them, and an int for a float."""
    sides = [bound for bound in (constraint.lower, constraint.upper) if bound is not None]
    if not whole:
        ints = [number for number in (1, 2, 0) if sides and constraint.allows(number)]
        edges = [float(bound.value) for bound in sides if bound.inclusive]
        return [*(number for number in edges if constraint.allows(number)), *ints[:1]]
    tries = [range(math.floor(b.value) - 1, math.ceil(b.value) + 2) for b in sides]
    allowed = [[number for number in numbers if constraint.allows(number)] for numbers in tries]
    picks = [min if bound is constraint.lower else max for bound in sides]
    return [pick(numbers) for pick, numbers in zip(picks, allowed, strict=True)]


def _outside(constraint: Constraint, *, whole: bool) -> list[Number]:
    """Return the first number outside each bound, in steps of one where possible."""
    numbers: list[Number] = []
    for bound, side in ((constraint.lower, -1), (constraint.upper, 1)):
        if bound is None:
            continue
        number = float(bound.value) + side * bound.inclusive
        if whole and bound.inclusive:
            number = side * (math.floor(side * bound.value) + 1)
        elif whole:
            number = side * math.ceil(side * bound.value)
        elif constraint.allows(number):
            number = math.nextafter(bound.value, side * math.inf)
        numbers.append(number)
    return [number for number in numbers if math.isfinite(number)]


def _other(candidates: Sequence[Value], default: Default) -> Value:
    for candidate in candidates:
        if default is REQUIRED or candidate != default:
            return candidate
    raise ValueError("there is no other value")
