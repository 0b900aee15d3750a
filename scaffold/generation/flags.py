"""The options of a target's templates that have a flag of their own on the command line.

They are in a file of their own, since the command line needs them before it knows a template, and
reading every manifest takes too long.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from scaffold.generation.catalog import Catalog

FLAGS = "flags.toml"


def flags(target: str) -> Mapping[str, str]:
    """Return the options with a flag, each with its description."""
    (folder,) = Catalog.builtin().folders
    found: Mapping[str, str] = tomllib.loads((folder / target / FLAGS).read_text(encoding="utf-8"))
    return found
