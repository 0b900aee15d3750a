"""A file that a command writes a report to, on top of the one of its last run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from scaffold.changes import Change
from scaffold.workspace import Workspace


@dataclass(frozen=True)
class ReportFile:
    """A place for a report that was looked at: a long run must not end at a mistyped folder.

    Args:
        workspace: The folder that it lies in.
        path: Its name there.
    """

    workspace: Workspace
    path: PurePosixPath

    @classmethod
    def at(cls, path: Path) -> ReportFile:
        """The file at `path`.

        Raises:
            ScaffoldError: If its folder is not there, or something else than a file is.
        """
        workspace = Workspace(path.parent)
        inside = workspace.confine(path)
        workspace.read(inside)
        return cls(workspace, inside)

    @property
    def real(self) -> Path:
        """Where it lies once links are followed."""
        return self.workspace.root / self.path

    def write(self, text: str) -> None:
        """Replace what is there by `text`, all of it or nothing."""
        with self.workspace.transaction() as transaction:
            before = self.workspace.read(self.path)
            transaction.commit([Change(self.path, before, text.encode("utf-8"))])
