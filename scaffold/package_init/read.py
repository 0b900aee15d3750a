"""The contents of an `__init__.py`, as far as needed to add a name to it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import libcst as cst
from libcst.helpers import get_full_name_for_node
from libcst.metadata import GlobalScope, MetadataWrapper, PositionProvider, ScopeProvider

from scaffold.generation.imports import Key, as_isort
from scaffold.text import natural

ALL = "__all__"
Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement
_OWN, _RELATIVE = 3, 4  # The last of isort's sections.


class NotUnderstoodError(Exception):
    """A file that has to be edited by hand.

    Args:
        why: The reason, a sentence.
        instead: What else the user could do, as words that end in `or`.
    """

    def __init__(self, why: str, instead: str = "") -> None:
        super().__init__(why)
        self.instead = instead


@dataclass(frozen=True)
class Import:
    """A line of imports at the top level of a file.

    Args:
        index: Its index among the statements.
        line: The line itself.
        key: The key that isort sorts it by; the section comes first.
        own: Whether it imports names from the package's own modules.
    """

    index: int
    line: cst.SimpleStatementLine
    key: Key
    own: bool

    @property
    def aliases(self) -> Sequence[cst.ImportAlias]:
        """What is imported from a module; empty for `*`, and for modules."""
        return aliases(self.line.body[0])

    @property
    def is_relative(self) -> bool:
        """Whether it is a relative import."""
        first = self.line.body[0]
        return isinstance(first, cst.ImportFrom) and bool(first.relative)


@dataclass(frozen=True)
class Init:
    """A parsed `__init__.py`.

    Args:
        package: The dotted name of its package.
        tree: Its syntax tree.
        bound: The nodes that bind a name of the module, each with its line number.
        used: The names that the file itself reads.
    """

    package: str
    tree: cst.Module
    bound: Mapping[str, Sequence[tuple[cst.CSTNode, int]]]
    used: frozenset[str]

    @classmethod
    def read(cls, source: str, package: str) -> Init:
        """Parse the text of a file.

        Raises:
            NotUnderstoodError: If it is not valid Python.
        """
        try:
            wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
        except cst.ParserSyntaxError as error:
            raise NotUnderstoodError(f"line {error.raw_line} is not valid Python") from None
        if wrapper.module.code != source:
            raise NotUnderstoodError("its line endings are not those of Python")
        scopes = wrapper.resolve(ScopeProvider).values()
        scope = next(one for one in scopes if isinstance(one, GlobalScope))
        lines = wrapper.resolve(PositionProvider)
        bound: dict[str, list[tuple[cst.CSTNode, int]]] = {}
        used = {access.node.value for access in scope.accesses if isinstance(access.node, cst.Name)}
        for one in scope.assignments:
            if one.references:
                used.add(one.name)
            if isinstance(node := getattr(one, "node", None), cst.CSTNode):
                bound.setdefault(one.name, []).append((node, lines[node].start.line))
        return cls(package, wrapper.module, bound, frozenset(used))

    def module_of(self, node: cst.CSTNode) -> str:
        """Return the full name of the module that a `from` imports from; empty for other nodes."""
        if not isinstance(node, cst.ImportFrom):
            return ""
        module = get_full_name_for_node(node.module) if node.module else ""
        above = self.package.split(".")[: 1 - len(node.relative) or None] if node.relative else []
        return ".".join([*above, module] if module else above)

    def is_own(self, node: cst.CSTNode) -> bool:
        """Return whether a statement imports names from the package's own modules."""
        return self.module_of(node).partition(".")[0] == self.package.partition(".")[0]

    def is_of(self, one: Import, module: str) -> bool:
        """Return whether a line imports names from this module."""
        return self.module_of(one.line.body[0]) == module

    def imports(self, module: str, name: str) -> bool:
        """Return whether `name` of `module` is imported under its own name."""
        return any(
            alias.evaluated_name == name and alias.evaluated_alias in (None, name)
            for node, _ in self.bound.get(name, ())
            if self.module_of(node) == module
            for alias in aliases(node)
        )

    def imports_at_top(self) -> list[Import]:
        """Return the lines of imports at the top level, in order."""
        return [
            Import(index, line, self.key_of(line), self.is_own(line.body[0]))
            for index, line in enumerate(self.tree.body)
            if isinstance(line, cst.SimpleStatementLine)
            and isinstance(line.body[0], cst.Import | cst.ImportFrom)
        ]

    def key_of(self, line: cst.SimpleStatementLine) -> Key:
        """Return the key that isort sorts a line of imports by."""
        statement = line.body[0]
        if isinstance(statement, cst.Import):
            module = statement.names[0].evaluated_name
            return self._section(module), 0, 0, natural(module.lower()), natural(module), ()
        assert isinstance(statement, cst.ImportFrom)
        module = get_full_name_for_node(statement.module) or "" if statement.module else ""
        level = len(statement.relative)
        section = _RELATIVE if level else self._section(module)
        first = [
            (as_isort(alias.evaluated_name), natural(alias.evaluated_alias or ""))
            for alias in aliases(statement)[:1]
        ]
        return section, 1, -level, natural(module.lower()), natural(module), first

    def _section(self, module: str) -> int:
        root = module.partition(".")[0]
        if root == self.package.partition(".")[0]:
            return _OWN
        return 0 if root == "__future__" else 1 if root in sys.stdlib_module_names else 2


def aliases(statement: cst.CSTNode) -> Sequence[cst.ImportAlias]:
    """Return what a statement imports from a module; empty for `*`, and for other statements."""
    if not isinstance(statement, cst.ImportFrom) or isinstance(statement.names, cst.ImportStar):
        return ()
    return statement.names
