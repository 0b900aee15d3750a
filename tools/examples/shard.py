"""A share of a list, for splitting work between several machines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from scaffold.errors import UsageError
from scaffold.text import shown

Item = TypeVar("Item")


@dataclass(frozen=True)
class Shard:
    """The `number`th of `count` shares, which are dealt out in turn.

    Args:
        number: From 1 to `count`.
        count: The number of shares.
    """

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Parse a shard such as `2/4`.

        Raises:
            UsageError: If `text` is not a valid shard.
        """
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip())
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise UsageError(
                f"invalid shard `{shown(text)}`",
                fix="Write `--shard 1/4` for the first of four, up to `4/4`",
            )
        return cls(int(found[1]), int(found[2]))

    def of(self, items: Sequence[Item]) -> list[Item]:
        """Return this share of the items."""
        return list(items[self.number - 1 :: self.count])
