"""What `file.py:Class`, `module:Class` and folders stand for; nothing is imported here."""

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
        folder: Where the name is looked up, a folder for `sys.path`.
        classes: The classes in it that are asked for; empty for all layers and models.
    """

    name: str
    folder: str
    classes: tuple[str, ...] = ()


def modules_of(targets: Iterable[str], *, allow_empty: bool = False) -> list[Module]:
    """The modules that targets stand for, in order.

    Args:
        targets: What was typed.
        allow_empty: Whether a folder may hold no layer or model.

    Raises:
        UsageError: If a target is not well-formed, or a folder holds no layer or model.
        MissingError: If there is no such file or folder.
    """
    modules = [module for target in targets for module in _modules(target, allow_empty)]
    folders: dict[str, str] = {}
    for module in modules:
        first = folders.setdefault(module.name, module.folder)
        if first != module.folder:
            raise UsageError(
                f"two modules are called `{module.name}`, in {first} and in {module.folder}",
                fix="Check them one after the other",
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
        raise MissingError(f"there is no `{shown(place)}`")
    else:
        raise UsageError(
            f"`{shown(target)}` is no target",
            fix="Give `file.py:Class`, `module:Class` or a folder",
        )


def defines_layers(path: Path) -> bool:
    """Whether a file seems to define a layer or model, without importing it."""
    tree = _tree(path)
    return tree is not None and _defines_one(tree, [tree])


def _file(path: Path, classes: tuple[str, ...]) -> Module:
    if not path.is_file():
        there = [str(other) for other in path.parent.glob("*.py")]
        raise MissingError(f"there is no file `{shown(str(path))}`{nearest(str(path), there)}")
    name, folder = imported_as(path)
    if not path.stem.isidentifier():
        raise UsageError(
            f"`{shown(str(path))}` can't be imported: `{name}` is no name of a module",
            fix="Rename the file",
        )
    return Module(name, str(folder), classes)


def _folder(folder: Path, classes: tuple[str, ...], allow_empty: bool) -> Iterator[Module]:
    """The modules below a folder that seem to define a layer or model, or can't be read."""
    trees = {path: _tree(path) for path in _sources(folder)}
    readable = [tree for tree in trees.values() if tree]
    found = [path for path, tree in trees.items() if not tree or _defines_one(tree, readable)]
    if not found and not allow_empty:
        raise UsageError(
            f"there is no layer or model in `{shown(str(folder))}`",
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
    """The file as Python reads it; `None` if it can't, which importing it will say."""
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return None


def _defines_one(tree: ast.Module, all_trees: Iterable[ast.Module]) -> bool:
    """Whether a class in it has a base from Keras, or one that a file beside it defines."""
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
    """Each imported name with the package that it comes from."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for name in names:
                    yield name.asname or name.name.split(".")[0], name.name.split(".")[0]
            case ast.ImportFrom(module=str(module), names=names):
                for name in names:
                    yield name.asname or name.name, module.split(".")[0]
