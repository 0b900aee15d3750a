"""Models composed of layers: what is used, as asked for and as source."""

from __future__ import annotations

from scaffold.composition.compiled import Compiled
from scaffold.composition.flow import DATA, data_for
from scaffold.composition.resolve import Composition, compose
from scaffold.composition.stage import Parallel, Residual, Stage, Use, read_use

__all__ = [
    "DATA",
    "Compiled",
    "Composition",
    "Parallel",
    "Residual",
    "Stage",
    "Use",
    "compose",
    "data_for",
    "read_use",
]
