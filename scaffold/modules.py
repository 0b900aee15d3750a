"""The name that a file is imported by, and from where: nothing else in scaffold decides it."""

from __future__ import annotations

from pathlib import Path


def packages_of(folder: Path) -> tuple[tuple[str, ...], Path]:
    """Return the packages that a folder belongs to, outermost first, and their parent folder.

    As in pytest, a folder is a package if it has an `__init__.py` and an importable name.
    """
    names: list[str] = []
    folder = folder.absolute()
    while folder.name.isidentifier() and (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    return tuple(names), folder


def imported_as(path: Path) -> tuple[str, Path]:
    """Return the dotted name of a module's file, and the folder to import it from.

    An `__init__.py` has the name of its package.
    """
    packages, root = packages_of(path.resolve().parent)
    own = () if path.stem == "__init__" and packages else (path.stem,)
    return ".".join((*packages, *own)), root
