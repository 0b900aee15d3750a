"""Resolves `file.py:Class`, `module:Class` and folders; nothing is imported here."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scaffold.errors import MissingError, UsageError
from scaffold.modules import imported_as
from scaffold.text import nearest, shown

_LEFT_OUT = {"__pycache__", "node_modules", "build", "dist", "site-packages"}
_ROOTS = ("keras", "tf_keras", "tensorflow", "keras_hub", "keras_cv")


@dataclass(frozen=True)
class Module:
    """A module to import.

    Args:
        name: Its dotted name.
        folder: The folder for `sys.path` in which the name is looked up.
        classes: The requested classes; empty for all layers and models.
    """

    name: str
    folder: str
    classes: tuple[str, ...] = ()


def modules_of(targets: Iterable[str], *, allow_empty: bool = False) -> list[Module]:
    """Return the modules that targets refer to, in order.

    Args:
        targets: The targets as typed.
        allow_empty: Whether to accept a folder without a layer or model.

    Raises:
        UsageError: If a target is invalid, or a folder contains no layer or model.
        MissingError: If a file or folder is not found.
    """
    modules = [module for target in targets for module in _modules(target, allow_empty)]
    folders: dict[str, str] = {}
    for module in modules:
        first = folders.setdefault(module.name, module.folder)
        if first != module.folder:
            raise UsageError(
                f"two modules are named `{module.name}`, in {first} and in {module.folder}",
                fix="Check them separately",
            )
    return modules


def _modules(target: str, allow_empty: bool) -> Iterator[Module]:
    place, colon, name = target.rpartition(":")
    if not colon or not name.isidentifier():
        place, name = target, ""
    classes = (name,) if name else ()
    path = Path(place)
    if path.is_dir():
        yield from _folder(path, classes, allow_empty)
    elif path.suffix == ".py":
        yield _file(path, classes)
    elif all(part.isidentifier() for part in place.split(".")):
        yield Module(place, str(Path.cwd()), classes)
    elif "/" in place or "\\" in place:
        raise MissingError(f"`{shown(place)}` not found")
    else:
        raise UsageError(
            f"`{shown(target)}` is not a valid target",
            fix="Use `file.py:Class`, `module:Class` or a folder",
        )


def defines_layers(path: Path) -> bool:
    """Return whether a file seems to define a layer or model, without importing it."""
    tree = _tree(path)
    return tree is not None and _defines_one(tree, [tree])


def _file(path: Path, classes: tuple[str, ...]) -> Module:
    if not path.is_file():
        there = [str(other) for other in path.parent.glob("*.py")]
        raise MissingError(f"file `{shown(str(path))}` not found{nearest(str(path), there)}")
    name, folder = imported_as(path)
    if not path.stem.isidentifier():
        raise UsageError(
            f"can't import `{shown(str(path))}`: `{name}` is not a valid module name",
            fix="Rename the file",
        )
    return Module(name, str(folder), classes)


def _folder(folder: Path, classes: tuple[str, ...], allow_empty: bool) -> Iterator[Module]:
    """Yield the modules in a folder that seem to define a layer or model, or can't be parsed."""
    trees = {path: _tree(path) for path in _sources(folder)}
    readable = [tree for tree in trees.values() if tree]
    found = [path for path, tree in trees.items() if not tree or _defines_one(tree, readable)]
    if not found and not allow_empty:
        raise UsageError(
            f"no layer or model found in `{shown(str(folder))}`",
            fix="Name the file: `scaffold check file.py`",
        )
    for path in found:
        yield _file(path, classes)


def _sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.py")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") or part in _LEFT_OUT for part in inside.parts)
        venv = any((parent / "pyvenv.cfg").is_file() for parent in path.parents)
        test = path.name.startswith(("test_", "conftest")) or path.stem.endswith("_test")
        if not (hidden or venv or test):
            yield path


def _tree(path: Path) -> ast.Module | None:
    """Return the syntax tree of a file; `None` if it can't be parsed, which importing reports."""
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return None


def _defines_one(tree: ast.Module, all_trees: Iterable[ast.Module]) -> bool:
    """Return whether a class in it has a base from Keras, or one defined in a file next to it."""
    own = {
        node.name
        for other in all_trees
        for node in other.body
        if isinstance(node, ast.ClassDef) and node.bases
    }
    aliases = dict(_aliases(tree))
    return any(
        base.split(".")[-1] in own or aliases.get(base.split(".")[0], "") in _ROOTS
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for base in map(ast.unparse, node.bases)
    )


def _aliases(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield each imported name with the package that it comes from."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for name in names:
                    yield name.asname or name.name.split(".")[0], name.name.split(".")[0]
            case ast.ImportFrom(module=str(module), names=names):
                for name in names:
                    yield name.asname or name.name, module.split(".")[0]
