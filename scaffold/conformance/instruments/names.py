"""Resolves the names of a file: `jnp.tanh` is `jax.numpy.tanh` if imported that way."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def imported(tree: ast.AST) -> dict[str, str]:
    """Return the names that the imports of a file or a function bind, with their full names."""
    found: dict[str, str] = {}
    for node in _outside_functions(tree):
        match node:
            case ast.Import(names=names):
                for name in names:
                    full = name.name if name.asname else name.name.partition(".")[0]
                    found[name.asname or full] = full
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for name in names:
                    found[name.asname or name.name] = f"{module}.{name.name}"
    return found


def _outside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(tree):
        if not isinstance(child, ast.FunctionDef | ast.ClassDef | ast.Lambda):
            yield child
            yield from _outside_functions(child)


class Names:
    """Resolves the names in one function.

    Args:
        module: The file.
        function: The function; its own imports count, too, and its variables hide imports.
    """

    def __init__(self, module: ast.AST, function: ast.FunctionDef) -> None:
        own = set(_bound(function)) | parameters(function)
        outer = {name: full for name, full in imported(module).items() if name not in own}
        self._known = outer | imported(function)

    def full(self, node: ast.AST) -> str:
        """Return the full name of an import or its attribute; empty for anything else."""
        match node:
            case ast.Name(id=name):
                return self._known.get(name, "")
            case ast.Attribute(value=value, attr=attribute):
                base = self.full(value)
                return f"{base}.{attribute}" if base else ""
        return ""


def parameters(function: ast.FunctionDef | ast.Lambda) -> set[str]:
    """Return the names of all parameters of a function."""
    given = function.args
    single = [parameter for parameter in (given.vararg, given.kwarg) if parameter]
    return {p.arg for p in (*given.posonlyargs, *given.args, *given.kwonlyargs, *single)}


def _bound(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes that run, without annotations and the types passed to `isinstance`."""
    yield node
    for child in _children(node):
        yield from executed(child)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Call(func=ast.Name(id="isinstance"), args=[first, *_]):
            yield first
            return
    for field, value in ast.iter_fields(node):
        if field not in ("returns", "annotation"):
            parts = value if isinstance(value, list) else [value]
            yield from (part for part in parts if isinstance(part, ast.AST))


def asks_backend(function: ast.AST) -> bool:
    """Return whether a function checks the backend, or whether a package is installed."""
    tests = [n.test for n in ast.walk(function) if isinstance(n, ast.If | ast.IfExp)]
    return any(_names_backend(node) for test in tests for node in ast.walk(test))


def _names_backend(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return "backend" in name.lower()
        case ast.Compare(
            left=ast.Name(id="tf" | "torch" | "jax"),
            ops=[ast.Is() | ast.IsNot()],
            comparators=[ast.Constant(value=None)],
        ):
            return True
    return False
