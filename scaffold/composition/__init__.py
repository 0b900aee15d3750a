"""Models composed of layers: what is used, as asked for and as source."""

from __future__ import annotations

from scaffold.composition.compiled import Compiled
from scaffold.composition.resolve import Composition, compose
from scaffold.composition.stage import Parallel, Residual, Stage, Use, read_use

__all__ = [
    "Compiled",
    "Composition",
    "Parallel",
    "Residual",
    "Stage",
    "Use",
    "compose",
    "read_use",
]
