"""What a constructor passes on to its base's: `super().__init__(*args, units=3, **kwargs)`."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from scaffold.keras_source.signature import Parameter, Signature


@dataclass(frozen=True)
class HandedOn:
    """The arguments that the base's constructor gets.

    Args:
        positional: The number of positional arguments that it gets, without `*args`.
        named: The arguments that it gets by name.
        star: Whether it gets `*args`.
        keywords: Whether it gets `**kwargs`.
        as_given: Whether it gets `**kwargs` unchanged: nothing else in the code uses it.
    """

    positional: int = 0
    named: frozenset[str] = frozenset()
    star: bool = False
    keywords: bool = False
    as_given: bool = False

    @classmethod
    def by(cls, constructor: ast.FunctionDef) -> HandedOn:
        """Return what this constructor passes on; nothing if it does not call its base's."""
        kwarg = constructor.args.kwarg.arg if constructor.args.kwarg else ""
        for node in ast.walk(constructor):
            match node:
                case ast.Call(func=ast.Attribute(value=owner, attr="__init__"), args=args):
                    args = args if isinstance(owner, ast.Call) else args[1:]  # without `self`
                    names = [keyword.arg for keyword in node.keywords]
                    return cls(
                        positional=sum(not isinstance(arg, ast.Starred) for arg in args),
                        named=frozenset(name for name in names if name is not None),
                        star=any(isinstance(arg, ast.Starred) for arg in args),
                        keywords=bool(kwarg) and None in names,
                        as_given=_uses(constructor, kwarg) == 1,
                    )
        return cls()

    def open(self, own: Collection[str], theirs: Sequence[Parameter]) -> list[Parameter]:
        """Return the base's parameters that a caller can still pass by name.

        Args:
            own: The names of the constructor's own parameters.
            theirs: The base's parameters, in order.
        """
        if not self.keywords:
            return []
        plain = [one for one in theirs if not one.stars]
        filled = [one.name for one in plain if not one.by_name][: self.positional]
        return [one for one in plain if one.name not in {*own, *self.named, *filled}]

    def whole(self, own: Signature, base: Signature) -> Signature:
        """Return the constructor's signature, with the base's parameters in place of `**kwargs`."""
        if not self.keywords:
            return own
        inherited = [
            Parameter(
                one.name,
                one.default if one.default is not None or self.as_given else "...",
                by_name=one.by_name or not self.star,
            )
            for one in self.open([one.name for one in own.plain], base.parameters)
        ]
        rest = [one for one in base.parameters if one.stars == "**"]
        by_name = [one for one in own.plain if one.by_name]
        return Signature((*own.positional, *inherited, *by_name, *rest))


def _uses(constructor: ast.FunctionDef, name: str) -> int:
    return sum(isinstance(node, ast.Name) and node.id == name for node in ast.walk(constructor))
