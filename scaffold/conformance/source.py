"""The user's source: where a class, its methods and its attributes are defined."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType

from scaffold.conformance.finding import Where


class Source:
    """The source of a class, as far as it can be found.

    Args:
        cls: The class.
    """

    def __init__(self, cls: type) -> None:
        self._cls = cls

    @cached_property
    def path(self) -> str:
        """The file that defines the class; empty if there is none."""
        try:
            return inspect.getsourcefile(self._cls) or ""
        except (TypeError, OSError):
            return ""

    @cached_property
    def tree(self) -> ast.ClassDef | None:
        """The syntax tree of the class; `None` if its source can't be found."""
        module = self.module
        for node in ast.walk(module) if module else ():
            if isinstance(node, ast.ClassDef) and node.name == self._cls.__name__:
                return node
        return None

    @cached_property
    def module(self) -> ast.Module | None:
        """The syntax tree of the file; `None` if it can't be found."""
        if not self.path or not Path(self.path).is_file():
            return None
        return ast.parse(Path(self.path).read_text(encoding="utf-8"))

    def methods(self) -> Iterator[ast.FunctionDef]:
        """Yield the methods that the class itself defines."""
        for node in self.tree.body if self.tree else ():
            if isinstance(node, ast.FunctionDef):
                yield node

    def method(self, name: str) -> ast.FunctionDef | None:
        """Return the method of this name that the class itself defines."""
        return next((node for node in self.methods() if node.name == name), None)

    def at(self, node: ast.AST | None) -> Where | None:
        """Return the location of a node; for `None`, that of the class."""
        line = getattr(node or self.tree, "lineno", None)
        return Where(self.path, line) if line else None

    def where(self, *names: str) -> Where | None:
        """Return the location of the first of these methods that is defined, else the class."""
        found = (method for name in names if (method := self.method(name)))
        return self.at(next(found, None))

    def where_set(self, attribute: str) -> Where | None:
        """Return the location where `self.attribute` is first assigned, else the class."""
        for node in ast.walk(self.tree) if self.tree else ():
            match node:
                case ast.Attribute(value=ast.Name(id="self"), attr=found, ctx=ast.Store()) if (
                    found == attribute
                ):
                    return self.at(node)
        return self.at(None)

    def where_raised(self, traceback: TracebackType | None) -> Where | None:
        """Return the deepest line of the class's file in a traceback, else the class."""
        found = self.at(None)
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == self.path:
                found = Where(self.path, traceback.tb_lineno)
            traceback = traceback.tb_next
        return found
