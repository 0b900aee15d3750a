"""Classes in source, Keras's and the user's, with their bases: nothing is imported."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scaffold.keras_source.handed_on import HandedOn
from scaffold.keras_source.signature import Parameter, Signature

# The base classes of all layers: what they have is not a layer's own.
_ROOTS = ("Layer", "Operation", "KerasSaveable")
_ANY_KEYWORD = Signature((Parameter("kwargs", stars="**"),))


@dataclass(frozen=True)
class Class:
    """A class in a module: a dotted name for Keras's classes, a path for the user's."""

    module: str
    node: ast.ClassDef

    @property
    def is_keras(self) -> bool:
        return _is_keras(self.module)

    @property
    def is_root(self) -> bool:
        return self.is_keras and self.node.name in _ROOTS

    def methods(self) -> dict[str, ast.FunctionDef]:
        """Return the methods that the class itself defines."""
        return {one.name: one for one in self.node.body if isinstance(one, ast.FunctionDef)}

    def signatures(self) -> dict[str, Signature]:
        """Return the signatures of the methods that are called on an instance."""
        constants = _constants(self.module)
        plain = (method for method in self.methods().values() if _is_plain(method))
        return {method.name: Signature.of(method, constants) for method in plain}

    def kept(self) -> set[str]:
        """Return the names that the class's code assigns to `self`."""
        return {
            target.attr
            for target in ast.walk(self.node)
            if isinstance(target, ast.Attribute)
            and isinstance(target.ctx, ast.Store)
            and isinstance(target.value, ast.Name)
            and target.value.id == "self"
        }

    def bases(self) -> Iterator[Class]:
        """Yield its base classes, if they are found."""
        for base in self.node.bases:
            found = find(self.module, ast.unparse(base))
            if found is not None and found != self:
                yield found

    def ancestry(self) -> Iterator[Class]:
        """Yield the class and its ancestors, the nearest first, except for the roots."""
        if not self.is_root:
            yield self
            for base in self.bases():
                yield from base.ancestry()

    def constructor(self) -> Signature:
        """Return its constructor's parameters, with its base's in place of `*args` and `**kwargs`.

        What a Keras layer itself passes on is not followed.
        """
        own = self.signatures().get("__init__")
        if self.is_root:
            return _ANY_KEYWORD
        if own is not None and self.is_keras:
            return own
        base = next((one.constructor() for one in self.bases()), _ANY_KEYWORD)
        if own is None:
            return base
        return HandedOn.by(self.methods()["__init__"]).whole(own, base)


def find(module: str, name: str, tried: frozenset[tuple[str, str]] = frozenset()) -> Class | None:
    """Return the class that `name` stands for in a module; `None` if it can't be found."""
    tree = parsed(module)
    if tree is None or (module, name) in tried:
        return None
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return Class(module, node)
    for source, original, local in imports(tree, module):
        if name == local or name.startswith(f"{local}."):
            home, last = _imported(source, original, name.removeprefix(local).removeprefix("."))
            return find(home, last, tried | {(module, name)})
    if not _is_keras(module) and name.rpartition(".")[0].endswith("layers"):
        return find("keras.layers", name.rpartition(".")[2])  # `tf.keras.layers.Dense`
    return None


def imports(tree: ast.Module, module: str) -> Iterator[tuple[str, str, str]]:
    """Yield the module, the name there and the name here of imports from Keras or the user.

    For an imported module the name there is empty.
    """
    for node in tree.body:
        match node:
            case ast.ImportFrom(module=str(source), level=0) if _is_keras(source):
                for alias in node.names:
                    yield source, alias.name, alias.asname or alias.name
            case ast.Import() if not _is_keras(module):
                for alias in node.names:
                    if _is_keras(alias.name):
                        home = alias.name if alias.asname else "keras"
                        yield home, "", alias.asname or "keras"
                    elif path := _path_of(alias.name, 0, Path(module)):
                        yield str(path), "", alias.asname or alias.name
            case ast.ImportFrom(module=source, level=level) if not _is_keras(module):
                path = _path_of(source or "", level, Path(module))
                for alias in node.names if path else ():
                    yield str(path), alias.name, alias.asname or alias.name


def _imported(source: str, original: str, rest: str) -> tuple[str, str]:
    """Return the module and the name there of `rest` within an import, or of the import itself."""
    if not rest:
        return source, original
    if _is_keras(source):
        within, _, last = f"{original}.{rest}".strip(".").rpartition(".")
        return f"{source}.{within}".strip("."), last
    inside = modules_named(original, [Path(source).parent]) if original else iter([Path(source)])
    return str(next(inside, "")), rest


def parsed(module: str) -> ast.Module | None:
    """Parse a Keras module by its dotted name or a file by its path; `None` if there is none."""
    return _parsed_of_keras(module) if _is_keras(module) else _parsed_file(Path(module))


def modules_named(dotted: str, folders: Iterable[Path]) -> Iterator[Path]:
    """Yield the files that a dotted name may stand for, the first folder's first."""
    parts = dotted.split(".") if dotted else []
    for folder in folders:
        for path in (
            *([folder.joinpath(*parts).with_suffix(".py")] if parts else ()),
            folder.joinpath(*parts, "__init__.py"),
        ):
            if path.is_file():
                yield path


def _path_of(dotted: str, level: int, importer: Path) -> Path | None:
    folders = [importer.parents[level - 1]] if level else [importer.parent, Path(), *_search_path()]
    return next(modules_named(dotted, folders), None)


def _search_path() -> list[Path]:
    return [Path(folder) for folder in sys.path]


def _is_keras(module: str) -> bool:
    return module == "keras" or (module.startswith("keras.") and not module.endswith(".py"))


def _is_plain(method: ast.FunctionDef) -> bool:
    """Return whether it is called on an instance: not a property, class or static method."""
    plain = ("property", "classmethod", "staticmethod")
    return not any(ast.unparse(one) in plain for one in method.decorator_list)


def _constants(module: str) -> dict[str, ast.expr]:
    """Return the values of names that a module assigns literals to."""
    tree = parsed(module)
    assert tree is not None
    return {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _parsed_file(path: Path) -> ast.Module | None:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return None


@cache
def _parsed_of_keras(module: str) -> ast.Module | None:
    spec = importlib.util.find_spec("keras")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parents[1].joinpath(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return ast.parse(file.read_text(encoding="utf-8"))
    return None
