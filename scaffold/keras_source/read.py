"""Finding and reading public layers in the source of the installed Keras."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from scaffold.errors import MissingError, UsageError
from scaffold.keras_source.classes import Class, find, imports, parsed
from scaffold.keras_source.signature import BaseLayer, Signature
from scaffold.text import nearest, shown

_PUBLIC = "keras.layers"


def public_layers() -> list[str]:
    """Return the names of all layer classes in `keras.layers`, including aliases.

    Raises:
        MissingError: If Keras is not installed.
    """
    return sorted(name for name in _exported() if _is_layer(name))


def read_base(name: str) -> BaseLayer:
    """Read the public layer called `name`, with or without `keras.layers` before it.

    Raises:
        MissingError: If Keras is not installed.
        UsageError: If there is no such layer, or it has no `call` to extend.
    """
    public = name.removeprefix(f"{_PUBLIC}.")
    if not public.isidentifier():
        raise UsageError(
            f"`{shown(name)}` is not a Keras layer",
            fix="Name one, as in `--base keras.layers.Dense`.",
        )
    if public not in _exported() or not _is_layer(public):
        raise UsageError(
            f"layer `{shown(name)}` not found in the installed Keras"
            f"{nearest(public, public_layers())}",
            fix="Write it as in `--base keras.layers.Dense`.",
        )
    found = find(*_exported()[public])
    assert found is not None
    signatures: dict[str, Signature] = {}
    kept: set[str] = set()
    for ancestor in found.ancestry():
        signatures = ancestor.signatures() | signatures
        kept |= {*ancestor.methods(), *ancestor.kept()}
    if "call" not in signatures or not signatures["call"].parameters:
        raise UsageError(
            f"`keras.layers.{public}` computes nothing that a class could extend",
            fix="Use `--template blank`.",
        )
    return BaseLayer(
        name=f"{_PUBLIC}.{public}",
        class_name=found.node.name,
        constructor=signatures["__init__"],
        call=signatures["call"],
        kept=frozenset(kept),
        cell=next(_cells(found), ""),
    )


def constructor(module: str, name: str) -> Signature:
    """Return the constructor parameters of the class called `name` in a public Keras module.

    Raises:
        MissingError: If Keras is not installed.
        UsageError: If there is no such class.
    """
    exported = _exported(module)
    found = find(*exported[name]) if name in exported else None
    if found is None:
        classes = [one for one in exported if one[:1].isupper()]
        raise UsageError(
            f"`{module}.{shown(name)}` not found in the installed Keras{nearest(name, classes)}",
            fix=f"See https://keras.io/api for what `{module}` has.",
        )
    signatures: dict[str, Signature] = {}
    for ancestor in found.ancestry():
        signatures = ancestor.signatures() | signatures
    return signatures.get("__init__", Signature(()))


def own_class(path: Path, name: str) -> Class:
    """Return the class called `name` in a user's file.

    Raises:
        UsageError: If the file can't be read, or has no such class.
    """
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{path} is not valid Python: {error}", fix="Fix the file.") from None
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    if name not in classes:
        raise UsageError(
            f"{path} has no class `{shown(name)}`{nearest(name, classes)}",
            fix=f"It has {', '.join(classes) or 'no classes'}.",
        )
    return Class(str(path.resolve()), classes[name])


def public_names(module: str) -> list[str]:
    """Return the names of everything in a public Keras module, including functions.

    Raises:
        MissingError: If Keras is not installed.
    """
    return sorted(_exported(module))


def _cells(found: Class) -> Iterator[str]:
    """Yield the public cells that a class creates itself, as `LSTM` creates an `LSTMCell`."""
    for ancestor in found.ancestry():
        constructor = ancestor.methods().get("__init__")
        for node in ast.walk(constructor) if constructor else ():
            match node:
                case ast.Call(func=ast.Name(id=name)) if name.endswith("Cell"):
                    if name in _exported():
                        yield f"{_PUBLIC}.{name}"


def _is_layer(name: str) -> bool:
    found = find(*_exported()[name])
    return found is not None and _comes_from_layer(found)


def _comes_from_layer(found: Class) -> bool:
    return found.node.name == "Layer" or any(map(_comes_from_layer, found.bases()))


@cache
def _exported(public: str = _PUBLIC) -> dict[str, tuple[str, str]]:
    """Return the module and the name there of everything in a public module."""
    tree = parsed(public)
    if tree is None:
        raise MissingError("Keras is not installed", fix="Install it: `pip install keras`.")
    return {local: (module, name) for module, name, local in imports(tree, public)}
