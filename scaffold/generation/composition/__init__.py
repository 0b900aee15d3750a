"""Models composed of layers: the stages, as requested and as source."""

from __future__ import annotations

from scaffold.generation.composition.compile_arguments import CompileArguments
from scaffold.generation.composition.flow import DATA, data_for
from scaffold.generation.composition.resolve import Composition, compose
from scaffold.generation.composition.stage import (
    Parallel,
    Residual,
    Stage,
    Use,
    read_use,
    with_homes,
)

__all__ = [
    "DATA",
    "CompileArguments",
    "Composition",
    "Parallel",
    "Residual",
    "Stage",
    "Use",
    "compose",
    "data_for",
    "read_use",
    "with_homes",
]
