"""A case: constructor arguments and call inputs, as data."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from scaffold.errors import UsageError
from scaffold.text import shown

_DTYPES = (
    *("float16", "bfloat16", "float32", "float64", "bool", "string", "complex64"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
)


@dataclass(frozen=True)
class Input:
    """One input tensor of a layer.

    Args:
        shape: Its shape, batch first.
        dtype: Its dtype.
        low: The minimum; `None` for normally distributed floats, or 0 for integers.
        high: The maximum for floats, exclusive for integers.
        mask: Whether it carries a mask over its first two axes.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    low: float | None = None
    high: float | None = None
    mask: bool = False

    @property
    def is_float(self) -> bool:
        return "float" in self.dtype

    def __str__(self) -> str:
        parts = [",".join(map(str, self.shape))]
        if self.dtype != "float32":
            parts.append(self.dtype)
        if self.high is not None:
            parts.append(f"{self.low or 0:g}..{self.high:g}")
        return ":".join(parts + ["mask"] * self.mask)


# An `Input`, or lists and dicts of them.
Structure = Any


@dataclass(frozen=True)
class Case:
    """The arguments and inputs that a class is checked with.

    Args:
        args: Constructor arguments. A string that begins with `keras.` stands for the object that
            it names or calls.
        inputs: The first argument of `call`: an `Input`, or lists and dicts of them.
        call: Further arguments of `call`: `Input`s, or values that are passed unchanged.
        tags: What the layer intentionally does differently from most.
        expected_failures: Ids of checks that are expected to fail, each with a reason.
    """

    args: Mapping[str, Any] = field(default_factory=dict)
    inputs: Structure = None
    call: Mapping[str, Structure] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    expected_failures: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        words = [f"{name}={value!r}" for name, value in self.args.items()]
        if self.inputs is not None:
            words.append(f"input={written(self.inputs)}")
        return " ".join(words + [f"{name}={written(v)}" for name, v in self.call.items()])


@dataclass(frozen=True)
class ClassFacts:
    """The facts about a class from which cases can be suggested.

    Args:
        name: The class's name.
        target: `"layer"` or `"model"`.
        parameters: The names of its constructor's parameters.
        base: The public Keras layer that it derives from; empty if it is `Layer`.
    """

    name: str
    target: str
    parameters: frozenset[str]
    base: str = ""


@dataclass(frozen=True)
class Suggestion:
    """Cases to check a class with, provided that it can be called with them.

    Args:
        origin: A sentence that says where they come from.
        cases: The cases, each in the form that `case_from` accepts.
        arguments: Values for arguments without a default; `None` if the cases are complete.
    """

    origin: str
    cases: Sequence[Mapping[str, Any]]
    arguments: Mapping[str, Any] | None = None


Suggest = Callable[[ClassFacts], Iterable[Suggestion]]


def written(structure: Structure) -> str:
    """Return a structure of inputs as a short string."""
    match structure:
        case dict():
            return "{" + "; ".join(f"{k}: {written(v)}" for k, v in structure.items()) + "}"
        case list() | tuple():
            return "[" + "; ".join(map(written, structure)) + "]"
    return str(structure)


def map_inputs(use: Callable[[Input], Any], structure: Structure) -> Any:
    """Return `structure` with `use` applied to each `Input`."""
    match structure:
        case Input():
            return use(structure)
        case Mapping():
            return {name: map_inputs(use, value) for name, value in structure.items()}
        case list() | tuple():
            return type(structure)(map_inputs(use, value) for value in structure)
    return structure


def inputs_of(structure: Structure) -> list[Input]:
    """Return all inputs in a structure, in order."""
    found: list[Input] = []
    map_inputs(found.append, structure)
    return found


def plain(structure: Structure) -> Any:
    """Convert a structure of inputs to JSON-compatible data."""
    return map_inputs(asdict, structure)


def restored(data: Any) -> Structure:
    """Restore the structure that `plain` converted."""
    match data:
        case {"shape": shape}:
            return Input(**{**data, "shape": tuple(shape)})
        case Mapping():
            return {name: restored(part) for name, part in data.items()}
        case list() | tuple():
            return [restored(part) for part in data]
    return data


def case_from(data: Any, parameters: Iterable[str] = ()) -> Case:
    """Read a case from plain values, as given in TOML or by `scaffold_cases`.

    Args:
        data: `args`, a dict; `input`, a shape such as `(2, 8, 8, 3)` or `"2,8,8,3"`, or a list or
            dict of shapes; `call`, further arguments of `call`; `tags`; `expected_failures`.
        parameters: The parameters of `call`, to tell a dict of its arguments from a dict that is
            its first argument.

    Raises:
        UsageError: If `data` is not a case.
    """
    if isinstance(data, Case):
        return data
    keys = ("args", "input", "call", "tags", "expected_failures")
    if not isinstance(data, Mapping) or not set(data) <= set(keys):
        raise UsageError(
            f"`{shown(repr(data))}` is not a case",
            fix=f"Write a table with the keys {', '.join(keys)}.",
        )
    inputs = None if data.get("input") is None else structure_from(data["input"])
    call = {name: _argument(value) for name, value in data.get("call", {}).items()}
    first, *others = [*parameters, ""]
    if isinstance(inputs, dict) and first in inputs and set(inputs) <= {first, *others}:
        call = {name: value for name, value in inputs.items() if name != first} | call
        inputs = inputs[first]
    return Case(
        dict(data.get("args", {})),
        inputs,
        call,
        frozenset(data.get("tags", ())),
        dict(data.get("expected_failures", {})),
    )


def _argument(value: Any) -> Any:
    """Read a further argument of `call`: an input if it looks like one, else the value itself."""
    try:
        return structure_from(value)
    except UsageError:
        return value


def structure_from(data: Any) -> Structure:
    """Read inputs from plain values.

    Raises:
        UsageError: If `data` does not describe inputs.
    """
    match data:
        case Input():
            return data
        case str():
            return input_from(data)
        case {"shape": _}:
            return Input(**{**data, "shape": tuple(data["shape"])})
        case Mapping():
            return {name: structure_from(value) for name, value in data.items()}
        case [*axes] if axes and all(type(axis) is int for axis in axes):
            return Input(tuple(axes))
        case [*parts] if parts:
            return [structure_from(part) for part in parts]
    raise UsageError(f"`{shown(repr(data))}` is not an input", fix="Write a shape such as 2,8,8,3.")


def input_from(text: str) -> Input:
    """Read an input such as `2,8:int32:0..10:mask`: shape, dtype, range of values, mask.

    Raises:
        UsageError: If it is malformed.
    """
    shape, *rest = text.replace(" ", "").strip("()").split(":")
    try:
        axes = tuple(int(axis) for axis in shape.strip("(),").split(",") if axis)
        if not axes or min(axes) < 1:
            raise ValueError
        words: dict[str, Any] = {}
        for word in rest:
            words |= _detail(word)
    except ValueError:
        raise UsageError(
            f"`{shown(text)}` is not an input",
            fix="Write a shape, batch first, then optionally a dtype, a range and `mask`: "
            "`2,8,8,3`, `2,6:int32:0..10`, `2,6,8:mask`.",
        ) from None
    return Input(axes, **words)


def _detail(word: str) -> dict[str, Any]:
    if word == "mask":
        return {"mask": True}
    if word in _DTYPES:
        return {"dtype": word}
    low, dots, high = word.partition("..")
    if not dots:
        raise ValueError(word)
    return {"low": float(low), "high": float(high)}


def arguments_from(texts: Iterable[str]) -> dict[str, Any]:
    """Read arguments from strings such as `filters=4, padding=same`.

    A value that is not a Python literal is taken as a string.

    Raises:
        UsageError: If a string is malformed.
    """
    found: dict[str, Any] = {}
    for text in texts:
        found |= _arguments(text)
    return found


def _arguments(text: str) -> dict[str, Any]:
    source = f"f({text})"
    try:
        call = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError):
        call = None
    plain = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and not call.args
    if not isinstance(call, ast.Call) or not plain or not all(k.arg for k in call.keywords):
        raise UsageError(
            f"`{shown(text)}` is not a constructor argument",
            fix="Write `--args name=value`, such as `--args filters=4`.",
        )
    return {str(k.arg): _value(ast.get_source_segment(source, k.value)) for k in call.keywords}


def _value(text: str | None) -> Any:
    try:
        return ast.literal_eval(text or "")
    except (ValueError, SyntaxError):
        return text
