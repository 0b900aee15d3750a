"""Adds to the wheel its compiled templates, and an index of their manifests.

hatchling runs it, maybe in an environment that has only Jinja besides this source tree.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WheelHook(BuildHookInterface[BuilderConfig]):
    """Makes `scaffold/compiled`; an editable install uses the sources."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Let hatchling copy what is compiled here."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        self._folder = tempfile.TemporaryDirectory()
        compile_catalog(Path(self.root, "templates"), Path(self._folder.name))
        build_data["force_include"][self._folder.name] = "scaffold/compiled"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what hatchling has copied."""
        if version != "editable":
            self._folder.cleanup()


def compile_catalog(folder: Path, into: Path) -> None:
    """Write the compiled templates of a folder, and their index."""
    from scaffold.generation.catalog import TARGETS, Catalog
    from scaffold.generation.index import INDEX, write_index
    from scaffold.generation.render import compile_templates

    catalog = Catalog([folder])
    every = [template for target in TARGETS for template in catalog.templates(target)]
    write_index(into / INDEX, folder, every)
    compile_templates(catalog, into)
