"""What a base class has: its methods' signatures, and the names of its attributes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """One parameter of a method, without `self`.

    `stars` precede its name; `default` is source, `None` if it has none. `by_name` is set if it
    can only be passed by name.
    """

    name: str
    default: str | None = None
    stars: str = ""
    by_name: bool = False


@dataclass(frozen=True)
class Signature:
    """The parameters of a method, without `self`."""

    parameters: tuple[Parameter, ...]

    @classmethod
    def of(cls, method: ast.FunctionDef, constants: Mapping[str, ast.expr]) -> Signature:
        """Read a parsed method; `constants` are what names in its defaults stand for."""
        return cls(tuple(_parameters(method.args, constants))[1:])

    @property
    def plain(self) -> tuple[Parameter, ...]:
        """The parameters that are neither `*args` nor `**kwargs`."""
        return tuple(parameter for parameter in self.parameters if not parameter.stars)

    @property
    def positional(self) -> tuple[Parameter, ...]:
        """The parameters that can be passed by position."""
        return tuple(parameter for parameter in self.plain if not parameter.by_name)

    @property
    def takes_any_keyword(self) -> bool:
        return any(parameter.stars == "**" for parameter in self.parameters)

    def declared(self) -> str:
        """Return the parameters as a method declares them, after `self`."""
        written = [
            f"{p.stars}{p.name}" + (f"={p.default}" if p.default is not None else "")
            for p in self.parameters
        ]
        starred = any(p.stars == "*" for p in self.parameters)
        first = next((i for i, p in enumerate(self.parameters) if p.by_name), None)
        if first is not None and not starred:
            written.insert(first, "*")
        return ", ".join(written)

    def passed(self) -> str:
        """Return the arguments as the method passes them to its parent's."""
        return ", ".join(
            (
                f"{p.name}={p.name}"
                if p.by_name or (p.default is not None and not p.stars)
                else f"{p.stars}{p.name}"
            )
            for p in self.parameters
        )


@dataclass(frozen=True)
class BaseLayer:
    """A Keras class to derive from.

    Args:
        name: The name to import it by: `keras.layers.Dense`.
        class_name: Its name in the source, which is another one for an alias.
        constructor: The parameters of `__init__`.
        call: The parameters of `call`.
        kept: The names of its methods and of its instances' attributes.
        cell: The public layer that computes each step of a recurrent one; empty for others.
    """

    name: str
    class_name: str
    constructor: Signature
    call: Signature
    kept: frozenset[str]
    cell: str = ""

    @property
    def unsaved(self) -> tuple[Parameter, ...]:
        """The constructor parameters that Keras itself saves, but not for a subclass."""
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
        yield Parameter(argument.arg, source(value), by_name=True)
    if arguments.kwarg:
        yield Parameter(arguments.kwarg.arg, stars="**")
