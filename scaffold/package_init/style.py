"""How a file imports what it exports, so that a new import looks like the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from scaffold.package_init.read import Import, Init

_NOQA = re.compile(r"#.*\bnoqa\b.*")


@dataclass(frozen=True)
class Style:
    """How a new name is imported.

    Args:
        relative: Whether to import from `.module` instead of `package.module`.
        doubled: Whether to import as `A as A`, which marks an export without `__all__`.
        comment: The linter comment after it, with the space before.
        begins: Whether the file is empty, so that it gets an `__all__`.
    """

    relative: bool
    doubled: bool
    comment: str
    begins: bool

    @classmethod
    def of(cls, init: Init, own: Sequence[Import], *, is_listed: bool) -> Style:
        """Return the style of a file.

        Args:
            init: The file.
            own: Its imports from its own package.
            is_listed: Whether it has an `__all__`.
        """
        relative = 2 * sum(one.is_relative for one in own) > len(own)
        offered = [one for one in own if not _is_used(one, init)]
        if not offered:
            begins = not (is_listed or own) and _says_nothing(init.tree)
            return cls(relative, not (is_listed or begins), "", begins)
        doubled = [_is_doubled(one) for one in offered]
        notes = [_notes(one) for one in offered]
        silent = all(map(any, zip(doubled, notes, strict=True)))
        shared = notes[0] if len(notes[0]) == 1 and notes.count(notes[0]) == len(notes) else ()
        comment = "" if is_listed else "".join(f"  {note}" for note in shared)
        return cls(relative, silent and any(doubled), comment, begins=False)

    def source(self, module: str, name: str) -> str:
        """Return the import of `name` from `module`."""
        where = f".{module.rpartition('.')[2]}" if self.relative else module
        alias = f" as {name}" if self.doubled else ""
        return f"from {where} import {name}{alias}{self.comment}"


def _is_used(one: Import, init: Init) -> bool:
    """Return whether the file itself reads all of this, so that it may not be an export."""
    names = [alias.evaluated_alias or alias.evaluated_name for alias in one.aliases]
    return bool(names) and init.used.issuperset(names)


def _is_doubled(one: Import) -> bool:
    aliases = one.aliases
    return bool(aliases) and all(alias.evaluated_alias == alias.evaluated_name for alias in aliases)


def _notes(one: Import) -> set[str]:
    """Return the comments that make linters ignore an import."""
    return set(_NOQA.findall(cst.Module([one.line.with_changes(leading_lines=())]).code))


def _says_nothing(tree: cst.Module) -> bool:
    """Return whether a file contains only its docstring and lines about itself."""
    rest = tree.body[tree.get_docstring() is not None :]
    return all(
        isinstance(line, cst.SimpleStatementLine) and _is_about_itself(line) for line in rest
    )


def _is_about_itself(line: cst.SimpleStatementLine) -> bool:
    """Return whether a line sets names such as `__version__`, or imports from `__future__`."""
    for part in line.body:
        match part:
            case cst.ImportFrom(module=cst.Name(value="__future__")):
                pass
            case cst.Assign(
                targets=[cst.AssignTarget(target=cst.Name(value=name))]
            ) if name.startswith("__") and name.endswith("__"):
                pass
            case _:
                return False
    return True
