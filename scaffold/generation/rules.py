"""Rules between the attributes of a template, as its manifest declares them.

A rule says which values go together. It is checked for the defaults when a class is generated, and
by the class itself, whose code is in `templates/_macros/rules.jinja`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from scaffold.errors import UsageError


@dataclass(frozen=True)
class Rule(ABC):
    """A condition on the values of some attributes; `None` always meets it.

    Args:
        names: The attributes.
        by_hand: Whether the template's own code checks it instead of the macro.
    """

    kind: ClassVar[str]
    # The number of attributes that it is about; 0 for two or more.
    about: ClassVar[int] = 2
    names: tuple[str, ...]
    by_hand: bool = False

    def check(self, values: Mapping[str, Any]) -> None:
        """Refuse defaults that the class would refuse; an attribute without a value has no default.

        Raises:
            UsageError: If the rule is broken.
        """
        given = [values[name] for name in self.names if name in values]
        if len(given) == len(self.names) and self.is_broken(*given):
            raise UsageError(self.problem(*given), fix=self.fix(*given))

    def is_broken(self, *values: Any) -> bool:
        return None not in values and self.breaks(*values)

    @abstractmethod
    def breaks(self, *values: Any) -> bool:
        """Return whether values, none of them `None`, break the rule."""

    @abstractmethod
    def problem(self, *values: Any) -> str:
        """Return what is wrong with such values, in one clause."""

    @abstractmethod
    def fix(self, *values: Any) -> str:
        """Return what to write instead, in one sentence."""

    def written(self, *values: Any) -> list[str]:
        """Return the attributes with these values, as typed."""
        return [f"`{n}={_typed(v)}`" for n, v in zip(self.names, values, strict=True)]


class AtMost(Rule):
    """The first is at most the second."""

    kind = "at_most"

    def breaks(self, *values: Any) -> bool:
        first, second = values
        return bool(first > second)

    def problem(self, *values: Any) -> str:
        first, second = self.written(*values)
        return f"{first} is greater than {second}"

    def fix(self, *values: Any) -> str:
        low, high = self.written(*reversed(values))
        return f"Write {low} or less, or {high} or more."


class Below(Rule):
    """Each item of the first is less than its counterpart in the second."""

    kind = "below"

    def breaks(self, *values: Any) -> bool:
        return any(first >= second for first, second in zip(*values, strict=True))

    def problem(self, *values: Any) -> str:
        first, second = self.written(*values)
        return f"{first} is not less than {second}"

    def fix(self, *values: Any) -> str:
        pairs = [*zip(*values, strict=True)]
        less = tuple(min(first, second - 1) for first, second in pairs)
        more = tuple(max(first + 1, second) for first, second in pairs)
        low, high = self.written(less, more)
        return f"Write {low}, or {high}."


class Divides(Rule):
    """The first divides the second."""

    kind = "divides"

    def breaks(self, *values: Any) -> bool:
        part, whole = values
        return bool(whole % part)

    def problem(self, *values: Any) -> str:
        part, whole = self.written(*values)
        return f"{part} does not divide {whole}"

    def fix(self, *values: Any) -> str:
        return f"Make `{self.names[1]}` a multiple of {values[0]}."


class Exclusive(Rule):
    """Only one of the two has items above 1."""

    kind = "exclusive"

    def breaks(self, *values: Any) -> bool:
        return all(max(value) > 1 for value in values)

    def problem(self, *values: Any) -> str:
        return f"{' and '.join(self.written(*values))} cannot both be above 1"

    def fix(self, *values: Any) -> str:
        return f"Leave one of them at 1: `{self.names[1]}=1`."


class Together(Rule):
    """Both are given, or neither."""

    kind = "together"

    def is_broken(self, *values: Any) -> bool:
        return self.breaks(*values)

    def breaks(self, *values: Any) -> bool:
        return values.count(None) == 1

    def problem(self, *values: Any) -> str:
        given, missing = self._sides(*values)
        return f"{given} is given without `{missing}`"

    def fix(self, *values: Any) -> str:
        return f"Give `{self._sides(*values)[1]}` as well, or leave both out."

    def _sides(self, *values: Any) -> tuple[str, str]:
        """Return what is given, and the name of what is not."""
        missing = values.index(None)
        return self.written(*values)[1 - missing], self.names[missing]


class SameLength(Rule):
    """All have the same number of items."""

    kind = "same_length"
    about = 0

    def breaks(self, *values: Any) -> bool:
        return len({*map(len, values)}) > 1

    def problem(self, *values: Any) -> str:
        first, *others = self.written(*values)
        other = next(t for t, v in zip(others, values[1:], strict=True) if len(v) != len(values[0]))
        return f"{first} and {other} must have the same number of items"

    def fix(self, *values: Any) -> str:
        number = max(len(values[0]), 1)
        fitted = self.written(*((*v, *(v or (1,))[-1:] * number)[:number] for v in values))
        changed = zip(self.written(*values), fitted, strict=True)
        return f"Write {' '.join(new for old, new in changed if old != new)}, for example."


class NonEmpty(Rule):
    """It has at least one item."""

    kind = "nonempty"
    about = 1

    def breaks(self, *values: Any) -> bool:
        return not values[0]

    def problem(self, *values: Any) -> str:
        return f"`{self.names[0]}` has no items"

    def fix(self, *values: Any) -> str:
        return "Give it at least one."


class NonZero(Rule):
    """It is not 0."""

    kind = "nonzero"
    about = 1

    def breaks(self, *values: Any) -> bool:
        return bool(values[0] == 0)

    def problem(self, *values: Any) -> str:
        return f"`{self.names[0]}` is 0"

    def fix(self, *values: Any) -> str:
        return f"Write `{self.names[0]}=1`, for example."


class Tiles(Rule):
    """The first divides the height and width of the second, an image's shape."""

    kind = "tiles"

    def breaks(self, *values: Any) -> bool:
        side, (height, width, _) = values
        return bool(height % side or width % side)

    def problem(self, *values: Any) -> str:
        side, shape = self.written(*values)
        return f"{side} does not divide the height and width of {shape}"

    def fix(self, *values: Any) -> str:
        side, shape = values
        common = math.gcd(*shape[:2])
        largest = max(n for n in range(1, min(side, common) + 1) if common % n == 0)
        return f"Write {self.written(largest, shape)[0]}, for example."


@dataclass(frozen=True)
class Halves(Rule):
    """The height and width of the second can be halved for each item of the first.

    `but` is the number of items that do not halve them.
    """

    kind: ClassVar[str] = "halves"
    but: int = 0

    def scale(self, items: Any) -> int:
        return int(2 ** max(len(items) - self.but, 0))

    def breaks(self, *values: Any) -> bool:
        items, (height, width, _) = values
        return bool(height % self.scale(items) or width % self.scale(items))

    def problem(self, *values: Any) -> str:
        items, shape = self.written(*values)
        return (
            f"height and width of {shape} must be multiples of {self.scale(values[0])}, "
            f"because {items} halves them {int(math.log2(self.scale(values[0])))} times"
        )

    def fix(self, *values: Any) -> str:
        items, (height, width, channels) = values
        scale = self.scale(items)
        sides = (-(-side // scale) * scale for side in (height, width))
        shape = self.written(items, (*sides, channels))[1]
        return f"Write {shape}, or give `{self.names[0]}` fewer items."


KINDS: Mapping[str, type[Rule]] = {
    rule.kind: rule
    for rule in (
        AtMost,
        Below,
        Divides,
        Exclusive,
        Together,
        SameLength,
        NonEmpty,
        NonZero,
        Tiles,
        Halves,
    )
}


def _typed(value: Any) -> str:
    return (",".join(map(str, value)) or "()") if isinstance(value, tuple) else str(value)
