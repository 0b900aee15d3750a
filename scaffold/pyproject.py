"""The project that a folder belongs to."""

from __future__ import annotations

from pathlib import Path

PYPROJECT = "pyproject.toml"


def nearest_project(start: Path) -> Path | None:
    """Return the nearest folder from `start` upwards that contains a pyproject.toml."""
    folders = [start, *start.parents]
    return next((folder for folder in folders if (folder / PYPROJECT).is_file()), None)
