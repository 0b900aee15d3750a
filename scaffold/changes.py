"""A plan: the changes to make on disk, as a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal

from scaffold.errors import ConflictError

Action = Literal["create", "replace", "edit", "keep"]
OnConflict = Literal["fail", "skip", "overwrite", "new"]
Reader = Callable[[PurePosixPath], bytes | None]


@dataclass(frozen=True)
class Change:
    """One file's bytes before and after, at a path relative to the workspace's root.

    `before` is `None` if the file does not exist yet. `edits` is set if `after` is `before` with
    something added.
    """

    path: PurePosixPath
    before: bytes | None
    after: bytes
    edits: bool = False

    @property
    def action(self) -> Action:
        if self.before is None:
            return "create"
        if self.before == self.after:
            return "keep"
        return "edit" if self.edits else "replace"


@dataclass(frozen=True)
class ChangeSet:
    """All changes of one run, in the order in which they are shown and written.

    `skipped` holds the changes to differing files that the user chose not to make.
    """

    changes: tuple[Change, ...]
    skipped: tuple[Change, ...] = ()

    def diff(self) -> str:
        """Return all changes as one unified diff."""
        return "".join(map(diff, self.changes))


class FilesDifferError(ConflictError):
    """Files already exist that differ from what would be written."""

    def __init__(self, plan: ChangeSet, shown: Callable[[PurePosixPath], str] = str) -> None:
        names = ", ".join(shown(change.path) for change in plan.changes)
        one = len(plan.changes) == 1
        super().__init__(
            f"{names} already {'exists' if one else 'exist'} with different content; "
            "nothing was written",
            fix="Use --on-conflict skip, overwrite, or new (writes to a .new file).",
        )
        self.plan = plan


def make_plan(
    files: Mapping[PurePosixPath, bytes], read: Reader, on_conflict: OnConflict = "fail"
) -> ChangeSet:
    """Plan the changes that write `files`, given what `read` finds on disk.

    Raises:
        FilesDifferError: If a file on disk differs and `on_conflict` is `fail`, or if an existing
            `.new` file differs.
    """
    changes = [Change(path, read(path), after) for path, after in files.items()]
    differing = [change for change in changes if change.action == "replace"]
    if on_conflict == "skip":
        kept = (change for change in changes if change not in differing)
        return ChangeSet(tuple(kept), tuple(differing))
    if on_conflict == "new":
        changes = [_beside(c, read) if c in differing else c for c in changes]
        differing = [change for change in changes if change.action == "replace"]
    if differing and on_conflict != "overwrite":
        raise FilesDifferError(ChangeSet(tuple(differing)))
    return ChangeSet(tuple(changes))


def diff(change: Change) -> str:
    """Return one change as a unified diff; empty if nothing changes."""
    import difflib

    before = (change.before or b"").decode("utf-8", "replace").splitlines(keepends=True)
    after = change.after.decode("utf-8").splitlines(keepends=True)
    old = "/dev/null" if change.before is None else f"a/{change.path}"
    lines = difflib.unified_diff(before, after, old, f"b/{change.path}")
    ended = (
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
    return "".join(ended)


def _beside(change: Change, read: Reader) -> Change:
    path = change.path.with_name(f"{change.path.name}.new")
    return replace(change, path=path, before=read(path))
