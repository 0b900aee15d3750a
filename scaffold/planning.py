"""A project, and the files to write in it for one class."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from scaffold.changes import Change, ChangeSet, OnConflict
from scaffold.errors import MissingError, UsageError
from scaffold.generation.catalog import Catalog
from scaffold.generation.composition import with_homes
from scaffold.generation.generate import (
    Layout,
    exported,
    generate,
    next_step,
    training_step,
)
from scaffold.generation.render import Style
from scaffold.generation.request import Request
from scaffold.generation.resolving import resolve
from scaffold.generation.spec import Resolved, Spec
from scaffold.generation.spec_file import write_spec
from scaffold.keras_source import modules_named
from scaffold.modules import packages_of
from scaffold.pyproject import nearest_project
from scaffold.settings import Settings, load_settings
from scaffold.text import shown
from scaffold.workspace import Workspace


@dataclass(frozen=True)
class Folders:
    """Where the files of a class go; the project's settings by default.

    Args:
        into: The folder of the class. Outside of the project, it must exist, and the files are
            confined to the project that it belongs to, or to itself.
        tests_into: The folder of its test.
        tests: Whether to write a test.
        training: Whether to write a model's training script.
        exports: Whether the class may be added to the package's `__init__.py`.

    Raises:
        UsageError: If a folder is given for a test that is not written.
    """

    into: str | Path | None = None
    tests_into: str | Path | None = None
    tests: bool = True
    training: bool = True
    exports: bool = True

    def __post_init__(self) -> None:
        if not self.tests and self.tests_into is not None:
            raise UsageError(
                "`tests=False` and `tests_into` can't be used together", fix="Remove one of them."
            )


@dataclass(frozen=True)
class Plan:
    """The files to write for one class, as a value.

    Args:
        resolved: The validated request, and what follows from it.
        module: The module to import the class from.
        changes: The files, each with its bytes before and after.
        next: The command that tries the class, to be run in the project's folder.
        training: The command that trains it, empty if there is none.
        workspace: The folder that the paths of `changes` are relative to and confined to.
        project: The root of the project that made the plan.
    """

    resolved: Resolved
    module: str
    changes: ChangeSet
    next: str
    training: str
    workspace: Workspace
    project: Path

    @property
    def spec(self) -> Spec:
        """The validated request."""
        return self.resolved.spec

    @property
    def reason(self) -> str:
        """Why its template was chosen."""
        return self.resolved.reason

    @property
    def notes(self) -> Sequence[str]:
        """What was decided without being requested."""
        return self.resolved.notes

    @property
    def files(self) -> dict[Path, str]:
        """The planned text of each file, by path."""
        return {
            self.workspace.root / change.path: change.after.decode("utf-8")
            for change in self.changes.changes
        }

    def diff(self) -> str:
        """Return all changes as one unified diff."""
        return self.changes.diff()


class Project:
    """A folder to generate classes in, with the settings of its pyproject.toml.

    Args:
        folder: The folder in which the commands would be run.

    Raises:
        MissingError: If the folder does not exist.
    """

    def __init__(self, folder: str | Path = ".") -> None:
        self.folder = Path(folder).resolve()
        if not self.folder.is_dir():
            raise MissingError(f"folder {shown(str(folder))} not found")
        self.workspace = Workspace(nearest_project(self.folder) or self.folder)

    def _at(self, path: str | Path) -> Path:
        """Return a path relative to the project's folder; unchanged if that is the current one."""
        return Path(path) if self.folder == Path.cwd() else self.folder / path

    def _workspace_for(self, into: Path) -> Workspace:
        """Return the project's workspace, or another one for a folder outside of the project.

        What is inside by its name stays confined to the project, even if it is a link.
        """
        root = self.workspace.root
        if into.is_relative_to(root) or into.resolve().is_relative_to(root):
            return self.workspace
        return Workspace(nearest_project(into) or into)

    def _home(self, home: str) -> str:
        """Return a layer's file or module, named from the project's folder, as seen from here."""
        if home.endswith(".py"):
            return _seen_from(Path.cwd(), self._at(home))
        if self.folder != Path.cwd():
            for path in modules_named(home, [self.folder]):
                return _seen_from(Path.cwd(), path)
        return home

    def plan(
        self,
        request: Request,
        folders: Folders | None = None,
        *,
        on_conflict: OnConflict = "fail",
        save_spec: str | Path | None = None,
    ) -> Plan:
        """Return the plan for a request, without writing anything.

        Args:
            request: The request, from `layer`, `model` or `from_file`.
            folders: Where the files go.
            on_conflict: What to do if a file differs.
            save_spec: A file to save the spec to.

        Raises:
            UsageError: If the request is invalid.
            UnsafeError: If a path leads out of the project.
            FilesDifferError: If a file differs from what would be written, and `on_conflict` is
                `"fail"`.
        """
        return _Planning.begin(self, request, folders or Folders()).plan(on_conflict, save_spec)

    def commit(self, plan: Plan) -> None:
        """Write all files of a plan, or none.

        Raises:
            UsageError: If the plan is for another project.
            ConflictError: If a file has changed since, or another run is writing.
        """
        if plan.project != self.workspace.root:
            raise UsageError(
                f"the plan is for {shown(str(plan.project))}, not {self.workspace.root}",
                fix="Commit it with the project that made it.",
            )
        with plan.workspace.transaction() as transaction:
            transaction.commit(plan.changes.changes)

    def generate(
        self,
        request: Request,
        folders: Folders | None = None,
        *,
        on_conflict: OnConflict = "fail",
        save_spec: str | Path | None = None,
    ) -> Plan:
        """Plan and commit, letting no other run write in between."""
        planning = _Planning.begin(self, request, folders or Folders())
        with planning.workspace.transaction() as transaction:
            plan = planning.plan(on_conflict, save_spec)
            transaction.commit(plan.changes.changes)
        return plan


@dataclass(frozen=True)
class _Planning:
    """One class to generate in a project, validated."""

    project: Project
    workspace: Workspace
    resolved: Resolved
    settings: Settings
    layout: Layout
    exports: bool
    catalog: Catalog = field(default_factory=Catalog.builtin)

    @classmethod
    def begin(cls, project: Project, request: Request, folders: Folders) -> _Planning:
        catalog, here = Catalog.builtin(), project.folder
        request = replace(request, layers=with_homes(request.layers, project._home))
        start = Path(os.path.normpath(here / folders.into)) if folders.into else here
        settings = load_settings(start, here)
        resolved = resolve(catalog, request, settings.package)
        workspace = project._workspace_for(start)
        layout = _layout(project, workspace, settings, folders, request.target)
        exports = settings.exports and bool(layout.packages) and folders.exports
        return cls(project, workspace, resolved, settings, layout, exports)

    def plan(self, on_conflict: OnConflict, save_spec: str | Path | None) -> Plan:
        style = Style(self.settings.license_header, self.settings.black)
        files = dict(generate(self.catalog, self.resolved, style, self.layout))
        if save_spec is not None:
            files |= self._saved(save_spec, files)
        changes = self.workspace.plan(files, on_conflict)
        if self.exports:
            edits = self._edits(changes)
            changes = replace(changes, changes=(*changes.changes, *edits))
        where = (self.layout, self.settings, self.workspace.root, self.project.folder)
        return Plan(
            self.resolved,
            self.layout.module(self.resolved.spec),
            changes,
            next_step(self.resolved.spec, *where),
            training_step(self.resolved, *where),
            self.workspace,
            self.project.workspace.root,
        )

    def _saved(
        self, file: str | Path, others: Mapping[PurePosixPath, bytes]
    ) -> dict[PurePosixPath, bytes]:
        path = self.workspace.confine(self.project._at(file))
        if path in others:
            raise UsageError(
                f"the spec can't be saved to {file}, which is the path of a generated file",
                fix="Use another file, such as spec.toml.",
            )
        folder = (self.project.folder / file).parent

        def as_written(home: str) -> str:
            return _seen_from(folder, Path(home)) if home.endswith(".py") else home

        spec = self.resolved.spec
        layers = with_homes(spec.layers, as_written)
        return {path: write_spec(replace(spec, layers=layers))}

    def _edits(self, changes: ChangeSet) -> Iterator[Change]:
        """Yield the change that makes the package export its classes once all is written."""
        from scaffold.package_init import with_exports

        workspace = self.workspace
        written = {change.path: change.after for change in changes.changes}

        def source_of(path: PurePosixPath) -> bytes | None:
            return written.get(path) or workspace.read(path)

        path = self.layout.into / "__init__.py"
        before = workspace.read(path)
        classes = list(exported(self.resolved, self.layout, source_of))
        if before is not None and classes:
            after = with_exports(before, classes, self.settings.black, workspace.as_typed(path))
            yield Change(path, before, after, edits=True)


def _seen_from(folder: Path, path: Path) -> str:
    """Return a path relative to a folder; absolute if it is on another drive."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return path.as_posix()


def _layout(
    project: Project, workspace: Workspace, settings: Settings, folders: Folders, target: str
) -> Layout:
    into = settings.into_for(target)
    folder = project._at(folders.into or (settings.folder / into if into else Path()))
    beside = settings.folder / settings.tests_into if settings.tests_into else folder
    inside = workspace.confine(folder)
    packages, root = packages_of(workspace.root / inside)
    tests = workspace.confine(project._at(folders.tests_into or beside)) if folders.tests else None
    scripts = None
    if folders.training:
        found = root if root.is_relative_to(workspace.root) else workspace.root / inside
        into_scripts = settings.scripts_into
        scripts = workspace.confine(settings.folder / into_scripts if into_scripts else found)
    _, tests_root = packages_of(workspace.root / (tests or inside))
    return Layout(inside, tests, packages, root, tests_root, scripts)
