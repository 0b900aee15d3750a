"""`{>0}`, `{>=0,<1}`: the range that the values of a number must lie in."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

Number = int | float

_BOUND = re.compile(
    # As many digits as the shortest form of any float has.
    r"(>=|<=|>|<)\s*(-?(?:\d{1,17}(?:\.\d{0,21})?|\.\d{1,21})(?:[eE][-+]?\d{1,3})?)"
)


@dataclass(frozen=True)
class Bound:
    """One side of a range; `value` itself belongs to it if `inclusive`."""

    value: Number
    inclusive: bool


@dataclass(frozen=True)
class Constraint:
    """A range of numbers, open where a side is `None`."""

    lower: Bound | None = None
    upper: Bound | None = None

    @classmethod
    def parse(cls, text: str) -> Constraint:
        """Read `>0` or `>=0,<1`.

        Raises:
            ValueError: If a part is no bound, or a side is bounded twice.
        """
        sides: dict[str, Bound] = {}
        for part in text.split(","):
            match = _BOUND.fullmatch(part.strip())
            if match is None:
                raise ValueError(f"`{part.strip()}` is no bound; write one like `>0` or `>=0,<1`")
            operator, digits = match.groups()
            bound = Bound(_number(digits), inclusive=operator.endswith("="))
            if not math.isfinite(bound.value):
                raise ValueError(f"`{part.strip()}` is not finite")
            side = "lower" if operator.startswith(">") else "upper"
            if side in sides:
                raise ValueError(f"`{text}` bounds the same side twice")
            sides[side] = bound
        return cls(**sides)

    def allows(self, value: Number) -> bool:
        """Whether `value` lies in the range; NaN never does."""
        above = self.lower is None or (
            value >= self.lower.value if self.lower.inclusive else value > self.lower.value
        )
        below = self.upper is None or (
            value <= self.upper.value if self.upper.inclusive else value < self.upper.value
        )
        return above and below and value == value

    def __bool__(self) -> bool:
        return self.lower is not None or self.upper is not None

    def __str__(self) -> str:
        parts = []
        if self.lower is not None:
            parts.append(f">{'=' if self.lower.inclusive else ''}{self.lower.value}")
        if self.upper is not None:
            parts.append(f"<{'=' if self.upper.inclusive else ''}{self.upper.value}")
        return ",".join(parts)

    def phrase(self) -> str:
        """The range in words: `greater than 0`, `from 0 to 1`; empty where there is none."""
        words = []
        if self.lower is not None:
            words.append(
                f"{'at least' if self.lower.inclusive else 'greater than'} {self.lower.value}"
            )
        if self.upper is not None:
            words.append(f"{'at most' if self.upper.inclusive else 'less than'} {self.upper.value}")
        return " and ".join(words)

    def broken(self, name: str) -> str:
        """The Python comparison that is true of an int outside the range; empty for none."""
        if self.lower is not None and self.upper is not None:
            return f"not {self.holds(name)}"
        if self.lower is not None:
            return f"{name} <{'' if self.lower.inclusive else '='} {self.lower.value}"
        if self.upper is not None:
            return f"{name} >{'' if self.upper.inclusive else '='} {self.upper.value}"
        return ""

    def holds(self, name: str) -> str:
        """The Python comparison that is true of `name` inside the range."""
        left = "" if self.lower is None else f"{self.lower.value} <{'=' * self.lower.inclusive} "
        right = "" if self.upper is None else f" <{'=' * self.upper.inclusive} {self.upper.value}"
        if left and not right and self.lower is not None:
            return f"{name} >{'=' * self.lower.inclusive} {self.lower.value}"
        return f"{left}{name}{right}"


ANY = Constraint()


def _number(digits: str) -> Number:
    return float(digits) if any(c in digits for c in ".eE") else int(digits)
