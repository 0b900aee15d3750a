"""What is known about the values in a method, and what operations make of them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from enum import IntEnum

from scaffold.conformance.instruments.names import parameters
from scaffold.conformance.instruments.reach import Reached

KERAS = ("keras.ops.", "keras.src.ops.", "keras.activations.", "tensorflow.keras.ops.")
STATIC = {"shape", "ndim", "size", "is_tensor", "convert_to_numpy"}
STRUCTURES = {
    *("split", "array_split", "unstack", "meshgrid", "moments", "top_k", "slogdet", "svd", "qr"),
    *("eig", "eigh", "frexp", "modf", "divmod", "unravel_index", "histogram", "nonzero"),
    *("fft", "fft2", "ifft2", "rfft", "stft", "dsplit", "hsplit", "vsplit", "lu_factor"),
    *("ctc_decode", "unique"),
}
UNKNOWN = {"cond", "switch", "while_loop", "fori_loop", "scan", "associative_scan", "map",
            "vectorized_map", "custom_gradient", "jvp"}  # fmt: skip
FREE_SIZES = {"nonzero", "argwhere", "unique"}
NUMBERS = {"float", "int", "bool", "complex", "range", "len"}
ITERATORS = {
    *("list", "tuple", "set", "iter", "enumerate", "zip", "reversed", "sorted", "map", "filter"),
    *("sum", "min", "max", "any", "all"),
}
SOME_BACKENDS = {
    *("numpy", "detach", "cpu", "cuda", "item", "tolist", "view", "permute", "unsqueeze", "to"),
    *("contiguous", "size", "dim", "expand", "masked_fill", "masked_fill_", "float", "long"),
    *("half", "at", "astype", "get_shape", "set_shape", "as_list", "eval", "copy_"),
    *("add_", "sub_", "mul_", "div_", "zero_", "fill_", "clamp", "clamp_", "requires_grad"),
    *("backward", "block_until_ready", "is_cuda", "scatter_", "index_select", "chunk"),
    *("sum", "mean", "max", "min", "std", "var", "argmax", "argmin", "softmax", "sigmoid"),
    *("transpose", "flatten", "ravel", "repeat", "abs", "exp", "log", "sqrt", "relu", "any"),
    *("all", "nonzero", "clip", "round", "cumsum", "prod", "type", "T", "mT"),
}


class Kind(IntEnum):
    """What is known about a value."""

    OTHER = 0
    DICT = 1  # a dict of tensors only: a loop over it gives its keys
    TENSORS = 2  # a tensor, or a list or tuple of tensors only
    TENSOR = 3


def arithmetic(op: ast.operator, left: Kind, right: Kind, first: ast.expr | None = None) -> Kind:
    """Return what an operator gives for two kinds; `first` reveals string formatting."""
    if isinstance(op, ast.Mod) and first is not None and is_word(first):
        return Kind.OTHER
    if Kind.TENSOR in (left, right):
        return Kind.TENSOR
    if isinstance(op, ast.Add | ast.Mult):  # of lists too
        return min(left, right) if isinstance(op, ast.Add) else max(left, right)
    return Kind.TENSOR if Kind.TENSORS in (left, right) else Kind.OTHER


def is_word(node: ast.expr) -> bool:
    """Return whether it is a string literal or `None`."""
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, str))


def all_tensors(kinds: Iterable[Kind]) -> Kind:
    """Return the kind of a structure of these."""
    return min(Kind.TENSORS, min(kinds, default=Kind.OTHER))


def least(ends: list[dict[str, Kind]]) -> dict[str, Kind]:
    """Return what is certain where several branches meet."""
    names = set.intersection(*map(set, ends))
    return {name: min(end[name] for end in ends) for name in names}


def asked_types(function: ast.FunctionDef) -> set[str]:
    """Return the names whose type a function checks, and which may therefore be anything."""
    found = set()
    for node in ast.walk(function):
        match node:
            case ast.Call(
                func=ast.Name(id="isinstance" | "hasattr" | "type" | "callable")
                | ast.Attribute(attr="is_tensor" | "is_keras_tensor" | "is_nested"),
                args=[ast.Name(id=name), *_],
            ):
                found.add(name)
    return found


def arguments(
    reached: Reached, call: ast.Call, given: list[Kind], named: Mapping[str | None, Kind]
) -> dict[str, Kind]:
    """Return the kinds of a function's parameters in a call of it."""
    arguments = reached.function.args
    names = [parameter.arg for parameter in (*arguments.posonlyargs, *arguments.args)]
    is_static = any(
        isinstance(decorator, ast.Name) and decorator.id == "staticmethod"
        for decorator in reached.function.decorator_list
    )
    if reached.is_method and not is_static:
        names = names[1:]
    if any(isinstance(argument, ast.Starred) for argument in call.args) or None in named:
        return {}
    positional = dict(zip(names, given, strict=False))
    known = parameters(reached.function)
    return positional | {name: kind for name, kind in named.items() if name in known}
