"""Finding a public layer in the source of the installed Keras, and reading what it has."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scaffold.base_layer.signature import BaseLayer, Signature
from scaffold.errors import MissingError, UsageError
from scaffold.text import nearest, shown

_PUBLIC = "keras.layers"
# The classes that all layers come from: what they have is no layer's own.
_ROOTS = ("Layer", "Operation", "KerasSaveable")


@dataclass(frozen=True)
class _Class:
    module: str
    node: ast.ClassDef

    def methods(self) -> dict[str, ast.FunctionDef]:
        return {one.name: one for one in self.node.body if isinstance(one, ast.FunctionDef)}

    def signatures(self) -> dict[str, Signature]:
        """Those of the methods that are called on an instance."""
        constants = _constants(self.module)
        plain = (method for method in self.methods().values() if _is_plain(method))
        return {method.name: Signature.of(method, constants) for method in plain}

    def bases(self) -> Iterator[_Class]:
        for base in self.node.bases:
            found = _find(self.module, ast.unparse(base))
            if found is not None:
                yield found

    def ancestry(self) -> Iterator[_Class]:
        """The class and all that it comes from, the nearest first, but for the roots."""
        if self.node.name not in _ROOTS:
            yield self
            for base in self.bases():
                yield from base.ancestry()


def public_layers() -> list[str]:
    """The names of all classes of layers in `keras.layers`, aliases too.

    Raises:
        MissingError: If Keras is not installed.
    """
    return sorted(name for name in _exported() if _is_layer(name))


def read_base(name: str) -> BaseLayer:
    """The public layer called `name`, with or without `keras.layers` before it.

    Raises:
        MissingError: If Keras is not installed.
        UsageError: If there is no such layer, or no call of it can be handed on.
    """
    public = name.removeprefix(f"{_PUBLIC}.")
    if public not in _exported() or not _is_layer(public):
        raise UsageError(
            f"there is no layer `{shown(name)}` in the installed Keras"
            f"{nearest(public, public_layers())}",
            mend="Write it as in `--base keras.layers.Dense`.",
        )
    found = _find(*_exported()[public])
    assert found is not None
    signatures: dict[str, Signature] = {}
    kept: set[str] = set()
    for ancestor in found.ancestry():
        signatures = ancestor.signatures() | signatures
        kept |= {*ancestor.methods(), *_kept(ancestor.node)}
    if "call" not in signatures or not signatures["call"].parameters:
        raise UsageError(
            f"`keras.layers.{public}` computes nothing that a layer could add to",
            mend="Begin with `--template blank`.",
        )
    return BaseLayer(
        name=f"{_PUBLIC}.{public}",
        class_name=found.node.name,
        constructor=signatures["__init__"],
        call=signatures["call"],
        build=signatures.get("build"),
        compute_output_shape=signatures.get("compute_output_shape"),
        kept=frozenset(kept),
    )


def constructor(module: str, name: str) -> Signature:
    """The constructor's parameters of the class called `name` in a public module of Keras.

    Raises:
        MissingError: If Keras is not installed.
        UsageError: If there is no such class.
    """
    exported = _exported(module)
    found = _find(*exported[name]) if name in exported else None
    if found is None:
        classes = [one for one in exported if one[:1].isupper()]
        raise UsageError(
            f"there is no `{module}.{shown(name)}` in the installed Keras{nearest(name, classes)}",
            mend=f"See https://keras.io/api for what `{module}` has.",
        )
    signatures: dict[str, Signature] = {}
    for ancestor in found.ancestry():
        signatures = ancestor.signatures() | signatures
    return signatures.get("__init__", Signature(()))


def public_names(module: str) -> list[str]:
    """The names of all that a public module of Keras has, functions too.

    Raises:
        MissingError: If Keras is not installed.
    """
    return sorted(_exported(module))


def _is_layer(name: str) -> bool:
    found = _find(*_exported()[name])
    return found is not None and _comes_from_layer(found)


def _comes_from_layer(found: _Class) -> bool:
    return found.node.name == "Layer" or any(map(_comes_from_layer, found.bases()))


def _is_plain(method: ast.FunctionDef) -> bool:
    """Whether it is called on an instance: neither a property nor a class's method."""
    plain = ("property", "classmethod", "staticmethod")
    return not any(ast.unparse(one) in plain for one in method.decorator_list)


def _kept(node: ast.ClassDef) -> set[str]:
    """The names that the class's code assigns to `self`."""
    return {
        target.attr
        for target in ast.walk(node)
        if isinstance(target, ast.Attribute)
        and isinstance(target.ctx, ast.Store)
        and isinstance(target.value, ast.Name)
        and target.value.id == "self"
    }


def _constants(module: str) -> dict[str, ast.expr]:
    """The values of names that a module assigns literals to."""
    parsed = _parsed(module)
    assert parsed is not None
    return {
        target.id: node.value
        for node in parsed.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


@cache
def _exported(public: str = _PUBLIC) -> dict[str, tuple[str, str]]:
    """The module and the name there of all that a public module has."""
    parsed = _parsed(public)
    if parsed is None:
        raise MissingError("Keras is not installed here", mend="pip install keras")
    return {local: (module, name) for module, name, local in _imports(parsed)}


def _find(module: str, name: str) -> _Class | None:
    """The class that `name` stands for in a module; `None` if it is no class of Keras."""
    parsed = _parsed(module)
    head, _, rest = name.partition(".")
    if parsed is None:
        return None
    for node in parsed.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return _Class(module, node)
    for source, original, local in _imports(parsed):
        if local == head:
            return _find(f"{source}.{original}", rest) if rest else _find(source, original)
    return None


def _imports(module: ast.Module) -> Iterator[tuple[str, str, str]]:
    """The module, the name there and the name here of all that is imported from Keras."""
    for node in module.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("keras"):
            for alias in node.names:
                yield str(node.module), alias.name, alias.asname or alias.name


@cache
def _parsed(module: str) -> ast.Module | None:
    spec = importlib.util.find_spec("keras")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parents[1].joinpath(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return ast.parse(file.read_text(encoding="utf-8"))
    return None
