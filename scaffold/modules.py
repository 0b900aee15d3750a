"""What a file is imported as, and from where: nothing else in scaffold decides it."""

from __future__ import annotations

from pathlib import Path


def packages_of(folder: Path) -> tuple[tuple[str, ...], Path]:
    """The packages that a folder is inside of, outermost first, and the folder they lie in.

    As for pytest, a folder is a package if it has an `__init__.py` and a name that can be imported.
    """
    names: list[str] = []
    folder = folder.absolute()
    while folder.name.isidentifier() and (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    return tuple(names), folder


def imported_as(path: Path) -> tuple[str, Path]:
    """The dotted name of a module's file, and the folder to import it from.

    The name of an `__init__.py` is that of its package.
    """
    packages, root = packages_of(path.resolve().parent)
    own = () if path.stem == "__init__" and packages else (path.stem,)
    return ".".join((*packages, *own)), root
