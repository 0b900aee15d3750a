"""Finds statements that write into a caller's tensor, as `x += 1` does on Torch."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator


def writes(function: ast.FunctionDef, arguments: Iterable[str]) -> Iterator[ast.AugAssign]:
    """Yield `+=` and the like on what is surely still a caller's tensor, or part of one.

    Args:
        function: The method.
        arguments: The names of its parameters that hold tensors.
    """
    yield from _written(function.body, set(arguments))


def _written(body: Iterable[ast.stmt], callers: set[str]) -> Iterator[ast.AugAssign]:
    for statement in body:
        match statement:
            case ast.AugAssign(target=ast.Name(id=name)) if name in callers:
                yield statement
            case ast.Assign(targets=[target], value=value) if _is_part(value, callers):
                callers -= _names(statement)
                callers |= {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
            case ast.If() | ast.With() | ast.For() | ast.While() | ast.Try():
                yield from _written(_first_block(statement), set(callers))
                callers -= _names(statement)
            case _:
                callers -= _names(statement)


def _first_block(statement: ast.If | ast.With | ast.For | ast.While | ast.Try) -> list[ast.stmt]:
    """Return the block that runs on what was there before; a loop's names are its own."""
    return [] if isinstance(statement, ast.For | ast.While) else statement.body


def _is_part(value: ast.expr, callers: set[str]) -> bool:
    """Return whether a value is a caller's tensor, an item of its list, or a view of one."""
    while isinstance(value, ast.Subscript) and _is_plain(value.slice):
        value = value.value
    return isinstance(value, ast.Name) and value.id in callers


def _is_plain(index: ast.expr) -> bool:
    """Return whether an index gives a view; indexing by a tensor gives a copy."""
    if isinstance(index, ast.Tuple):
        return all(map(_is_plain, index.elts))
    return isinstance(index, ast.Slice | ast.Constant | ast.UnaryOp)


def _names(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds, at any depth."""
    names = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
    return {node.id for node in names if isinstance(node.ctx, ast.Store)}
