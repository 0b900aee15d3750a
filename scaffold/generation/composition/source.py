"""Arguments as source: values as typed, checked against a signature."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping

from scaffold.errors import UsageError
from scaffold.generation.composition.stage import Use
from scaffold.keras_source import Signature
from scaffold.text import nearest

_WORDS = {"true": True, "false": False}


def literal(text: str) -> str:
    """Return the source of a value as typed: `3`, `3,3`, `true`, `relu`."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = _WORDS.get(text, text)
    return f'"{value}"' if isinstance(value, str) and '"' not in value else repr(value)


def call(
    name: str,
    signature: Signature,
    arguments: Mapping[str, str],
    also: Collection[str],
    use: Use,
) -> str:
    """Return the source of a call of a class with these arguments, up to the closing parenthesis.

    Args:
        name: The class, as source.
        signature: The parameters of its constructor.
        arguments: Their values, as typed.
        also: Further arguments that are accepted if the constructor accepts any.
        use: The layer, loss or other object that the user wrote, to point at.

    Raises:
        UsageError: If there is no such argument, or a required one is missing.
    """
    known = [parameter.name for parameter in signature.plain]
    taken = [*known, *also] if signature.takes_any_keyword else known
    for argument in arguments:
        if argument not in taken:
            raise UsageError(
                f"`{name}` has no argument `{argument}`{nearest(argument, taken)}",
                fix=f"It has {', '.join(known) or 'no arguments'}.",
                place=use.argument_place(argument),
            )
    missing = [p.name for p in signature.plain if p.default is None and p.name not in arguments]
    if missing:
        raise UsageError(
            f"`{name}` needs {' and '.join(f'`{one}`' for one in missing)}",
            fix=f"Write `{use.text or name}:{missing[0]}=...`.",
        )
    given = [f"{argument}={literal(value)}" for argument, value in arguments.items()]
    return f"{name}({', '.join(given)}"
