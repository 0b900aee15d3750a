"""A class that derives from a Keras layer: `--base`."""

from __future__ import annotations

from scaffold.generation.deriving.template import on_base

__all__ = ["on_base"]
