"""What a class to derive from has: its methods' signatures, and the names that it keeps."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """One parameter of a method, without `self`.

    `stars` stand before its name; `default` is source, `None` if it has none.
    """

    name: str
    default: str | None = None
    stars: str = ""


@dataclass(frozen=True)
class Signature:
    """The parameters of a method, without `self`."""

    parameters: tuple[Parameter, ...]

    @classmethod
    def of(cls, method: ast.FunctionDef, constants: Mapping[str, ast.expr]) -> Signature:
        """That of a parsed method; `constants` are what names in its defaults stand for."""
        return cls(tuple(_parameters(method.args, constants))[1:])

    @property
    def plain(self) -> tuple[Parameter, ...]:
        """Those that are neither `*args` nor `**kwargs`."""
        return tuple(parameter for parameter in self.parameters if not parameter.stars)

    @property
    def takes_any_keyword(self) -> bool:
        return any(parameter.stars == "**" for parameter in self.parameters)

    def declared(self) -> str:
        """The parameters as a method declares them, behind `self`."""
        return ", ".join(
            f"{p.stars}{p.name}" + (f"={p.default}" if p.default is not None else "")
            for p in self.parameters
        )

    def passed(self) -> str:
        """The arguments as the method hands them to its parent's."""
        return ", ".join(
            f"{p.stars}{p.name}" if p.stars or p.default is None else f"{p.name}={p.name}"
            for p in self.parameters
        )


@dataclass(frozen=True)
class BaseLayer:
    """A class of Keras to derive from.

    Args:
        name: As one imports it: `keras.layers.Dense`.
        class_name: As its source calls it, which is another name where it has several.
        constructor: The parameters of `__init__`.
        call: Those of `call`.
        build: Those of `build`; `None` if it has none of its own.
        compute_output_shape: Those of that; `None` if it has none of its own.
        kept: The names of its methods, and of what its instances hold.
    """

    name: str
    class_name: str
    constructor: Signature
    call: Signature
    build: Signature | None
    compute_output_shape: Signature | None
    kept: frozenset[str]

    @property
    def unsaved(self) -> tuple[Parameter, ...]:
        """Those of the constructor that only Keras itself saves, and not for a class below it."""
        return () if "get_config" in self.kept else self.constructor.plain


def _parameters(arguments: ast.arguments, constants: Mapping[str, ast.expr]) -> Iterator[Parameter]:
    def source(default: ast.expr | None) -> str | None:
        if isinstance(default, ast.Name):
            default = constants.get(default.id, default)
        return None if default is None else ast.unparse(default)

    plain = [*arguments.posonlyargs, *arguments.args]
    missing = len(plain) - len(arguments.defaults)
    defaults = [*[None] * missing, *arguments.defaults]
    for argument, default in zip(plain, defaults, strict=True):
        yield Parameter(argument.arg, source(default))
    if arguments.vararg:
        yield Parameter(arguments.vararg.arg, stars="*")
    for argument, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield Parameter(argument.arg, source(value))
    if arguments.kwarg:
        yield Parameter(arguments.kwarg.arg, stars="**")
