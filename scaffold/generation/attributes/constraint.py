"""`{>0}`, `{>=0,<1}`: the range of a number."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

Number = int | float

_BOUND = re.compile(
    # As many digits as the shortest form of any float can have.
    r"(>=|<=|>|<)\s*(-?(?:\d{1,17}(?:\.\d{0,21})?|\.\d{1,21})(?:[eE][-+]?\d{1,3})?)"
)


@dataclass(frozen=True)
class Bound:
    """One side of a range; `value` itself belongs to it if `inclusive`."""

    value: Number
    inclusive: bool


@dataclass(frozen=True)
class Constraint:
    """A range of numbers, unbounded where a side is `None`."""

    lower: Bound | None = None
    upper: Bound | None = None

    @classmethod
    def parse(cls, text: str) -> Constraint:
        """Read `>0` or `>=0,<1`.

        Raises:
            ValueError: If a part is not a bound, or a side is bounded twice.
        """
        sides: dict[str, Bound] = {}
        for part in text.split(","):
            match = _BOUND.fullmatch(part.strip())
            if match is None:
                raise ValueError(f"`{part.strip()}` is not a bound; write `>0` or `>=0,<1`")
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
        """Return whether `value` is in the range; NaN never is."""
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
        """Return the range in words: `greater than 0`, `in the range [0, 1)`; empty for none."""
        if self.lower is not None and self.upper is not None:
            first, last = "[" if self.lower.inclusive else "(", "]" if self.upper.inclusive else ")"
            return f"in the range {first}{self.lower.value}, {self.upper.value}{last}"
        if self.lower is not None:
            return f"{'of at least' if self.lower.inclusive else 'greater than'} {self.lower.value}"
        if self.upper is not None:
            return f"{'of at most' if self.upper.inclusive else 'less than'} {self.upper.value}"
        return ""

    def broken(self, name: str) -> str:
        """Return the Python comparison that is true of an int outside the range; empty for none."""
        if self.lower is not None and self.upper is not None:
            return f"not {self.holds(name)}"
        if self.lower is not None:
            return f"{name} <{'' if self.lower.inclusive else '='} {self.lower.value}"
        if self.upper is not None:
            return f"{name} >{'' if self.upper.inclusive else '='} {self.upper.value}"
        return ""

    def holds(self, name: str) -> str:
        """Return the Python comparison that is true of `name` inside the range."""
        left = "" if self.lower is None else f"{self.lower.value} <{'=' * self.lower.inclusive} "
        right = "" if self.upper is None else f" <{'=' * self.upper.inclusive} {self.upper.value}"
        if left and not right and self.lower is not None:
            return f"{name} >{'=' * self.lower.inclusive} {self.lower.value}"
        return f"{left}{name}{right}"


ANY = Constraint()


def _number(digits: str) -> Number:
    return float(digits) if any(c in digits for c in ".eE") else int(digits)
