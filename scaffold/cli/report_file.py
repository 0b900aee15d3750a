"""A file that a command writes a report to, replacing that of its last run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from scaffold.changes import Change
from scaffold.workspace import Workspace


@dataclass(frozen=True)
class ReportFile:
    """A file for a report, checked early: a long run must not fail on a mistyped folder.

    Args:
        workspace: The folder that contains it.
        path: Its path in that folder.
    """

    workspace: Workspace
    path: PurePosixPath

    @classmethod
    def at(cls, path: Path) -> ReportFile:
        """Return the report file at `path`.

        Raises:
            ScaffoldError: If its folder is missing, or something other than a file is there.
        """
        workspace = Workspace(path.parent)
        inside = workspace.confine(path)
        workspace.read(inside)
        return cls(workspace, inside)

    @property
    def real(self) -> Path:
        """The path with links followed."""
        return self.workspace.root / self.path

    def write(self, text: str) -> None:
        """Replace the file's content with `text`, all of it or nothing."""
        with self.workspace.transaction() as transaction:
            before = self.workspace.read(self.path)
            transaction.commit([Change(self.path, before, text.encode("utf-8"))])
