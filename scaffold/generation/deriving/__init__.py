"""A class that derives from a layer of Keras: `--base`."""

from __future__ import annotations

from scaffold.generation.deriving.template import on_base

__all__ = ["on_base"]
