"""The inputs and outputs of a composed model's layers, read from source: nothing is imported.

For Keras layers, `layers.toml` of the composing template says what their source does not say in one
place. Any other class is judged by its own code.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from scaffold.errors import UsageError
from scaffold.keras_source import Signature, public_layers, read_base

FACTS = "layers.toml"
# How often a chain's one tensor is passed to a layer, by the inputs that the layer needs.
_FED: Mapping[tuple[str, ...], str] = {("query", "value"): "x, x"}
# An einsum equation without dots, whose letters are the axes.
_EQUATION = re.compile(r"([a-zA-Z]+),[a-zA-Z]+->([a-zA-Z]+)")
# Public classes that compute nothing themselves.
_NO_LAYERS = ("Layer", "Wrapper")
_DROP_IN = re.compile(r"(?:Drop-in for|As)\s+`keras\.layers\.(\w+)`")


@dataclass(frozen=True)
class Facts:
    """What a layer does to the one tensor that goes through a model.

    Args:
        takes: The rank of its input, batch included; `None` for any.
        gives: The rank of its output; `None` for that of its input.
        feeds: The arguments that it is called with.
        mask: What it does with a mask: `keeps`, `makes`, `ends` or `refuses`.
        data: What its input contains other than real numbers: `integers` or `text`.
        tokens: The number of integers that it knows; 0 for any.
        is_sized: Whether its arguments fix the sizes of its input.
        attends: Whether it has attention heads, or is one.
        wraps: The argument that is another layer or a function, which can't be given as text.
    """

    takes: int | None = None
    gives: int | None = None
    feeds: str = "x"
    mask: str = "keeps"
    data: str = ""
    tokens: int = 0
    is_sized: bool = False
    attends: bool = False
    wraps: str = ""

    def axes_behind(self, axes: int) -> int:
        return axes if self.gives is None else self.gives


def of_keras(folder: Path, name: str, arguments: Mapping[str, str], called: str = "") -> Facts:
    """Return the facts of a Keras layer with these arguments.

    Args:
        folder: The folder of the composing template.
        name: The layer's public name.
        arguments: The constructor arguments, as typed.
        called: What the user calls it, if not by that name.

    Raises:
        UsageError: If it needs inputs other than one tensor.
    """
    base = read_base(name)
    called = called or base.name
    mask = "keeps" if {"supports_masking", "compute_mask"} & base.kept else "refuses"
    table = {"mask": mask, **_table(folder).get(base.class_name, {})}
    for argument, further in table.pop("where", {}).items():
        if arguments.get(argument, "").lower() == "true":
            table |= further
    if letters := _EQUATION.fullmatch(arguments.get(table.pop("equation", ""), "")):
        table |= {"takes": len(letters[1]), "gives": len(letters[2]), "is_sized": True}
    if sized := table.pop("sized_by", ""):
        table |= {"gives": 1 + len(arguments.get(sized, "").strip("(),").split(","))}
        table["is_sized"] = True
    if (number := arguments.get(table.pop("counts", ""), "")).isdecimal():
        table["tokens"] = int(number)
    facts = Facts(**table)
    if facts.wraps in arguments:
        raise UsageError(
            f"`{facts.wraps}` of `{called}` is an object, which can't be given as text",
            fix=f"Derive your own class from `{called}`, and name its file.",
        )
    if facts.feeds == "x":
        fed = _fed(called, base.call)
        facts = replace(facts, feeds=fed, attends=fed != "x")
    if facts.feeds == "several":
        raise several(called)
    return facts


def of_class(
    folder: Path, module: ast.Module, name: str, called: str, arguments: Mapping[str, str]
) -> Facts:
    """Return the facts of a class in a module: its own, and those of its base or original.

    Args:
        folder: The folder of the composing template.
        module: The module.
        name: The class.
        called: What the user calls it.
        arguments: The constructor arguments, as typed.

    Raises:
        UsageError: If it needs inputs other than one tensor.
    """
    classes = {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}
    ancestry = [*_ancestry(classes[name], classes)]
    for node in ancestry:
        for base in [*_DROP_IN.findall(ast.get_docstring(node) or ""), *_bases(node)]:
            if base in public_layers() and base not in _NO_LAYERS:
                return _own(ancestry, called, of_keras(folder, base, arguments, called))
    known = all(base == "Layer" or base in classes for node in ancestry for base in _bases(node))
    return _own(ancestry, called, Facts(mask="refuses" if known else "keeps"))


def _own(ancestry: list[ast.ClassDef], called: str, facts: Facts) -> Facts:
    nodes = [node for one in ancestry for node in ast.walk(one)]
    ranks = {
        keyword.value.value
        for node in nodes
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("InputSpec")
        for keyword in node.keywords
        if keyword.arg == "ndim" and isinstance(keyword.value, ast.Constant)
    }
    if len(ranks) == 1 and isinstance(rank := ranks.pop(), int):
        facts = replace(facts, takes=rank)
    methods = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    calls = [Signature.of(method, {}) for method in methods if method.name == "call"]
    takes_mask = any(p.name == "mask" for signature in calls for p in signature.plain)
    if takes_mask or "supports_masking = True" in "\n".join(map(ast.unparse, ancestry)):
        facts = replace(facts, mask="keeps" if facts.mask == "refuses" else facts.mask)
    if calls and facts.feeds == "x":
        facts = replace(facts, feeds=_fed(called, calls[0]))
    names = {getattr(node, "attr", getattr(node, "id", "")) for node in nodes}
    if facts.feeds == "x, x" or "MultiHeadAttention" in names:
        facts = replace(facts, attends=True)
    if any(map(_is_of_several, nodes)):
        raise several(called)
    return facts


def _is_of_several(node: ast.AST) -> bool:
    """Return whether it assigns several specs to `self.input_spec`."""
    return (
        isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "self.input_spec"
        and isinstance(node.value, ast.List)
        and len(node.value.elts) > 1
    )


def several(name: str) -> UsageError:
    """Return the error for a layer that needs more than one tensor."""
    return UsageError(
        f"`{name}` takes several inputs, but a chain has one",
        fix="Use `parallel` in a spec file to merge branches.",
    )


def _fed(name: str, call: Signature) -> str:
    """Return a layer's call arguments: the one tensor for each required input, or refuse it."""
    required = [parameter.name for parameter in call.plain if parameter.default is None]
    if len(required) < 2:
        return "x"
    if fed := _FED.get(tuple(required), ""):
        return fed
    raise UsageError(
        f"`{name}` is called with {' and '.join(f'`{one}`' for one in required)}, "
        "but a chain has one tensor",
        fix="Use it in your own class that takes one input, and name its file.",
    )


def _ancestry(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> Iterator[ast.ClassDef]:
    yield node
    for base in _bases(node):
        if base in classes and base != node.name:
            yield from _ancestry(classes[base], classes)


def _bases(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(base).rpartition(".")[2] for base in node.bases]


@cache
def _table(folder: Path) -> dict[str, dict[str, Any]]:
    return tomllib.loads((folder / FACTS).read_text(encoding="utf-8"))
