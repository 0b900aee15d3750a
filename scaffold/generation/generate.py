"""From a spec to its files: paths, sources, and the command to run next."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from scaffold.generation.catalog import Catalog
from scaffold.generation.render import Style, render
from scaffold.generation.spec import Resolved, Spec
from scaffold.settings import Settings


@dataclass(frozen=True)
class Layout:
    """Where generated files go, relative to the workspace's root.

    Args:
        into: The folder of the class.
        tests_into: The folder of its test; `None` for no test.
        packages: The Python packages that contain `into`, outermost first.
        import_root: The folder that contains the outermost package, or the module; an absolute
            path, since it may be outside the workspace.
        tests_root: The folder that pytest puts on the import path for the test, likewise.
        scripts_into: The folder of the training script, if the template has one; `None` for no
            script.
    """

    into: PurePosixPath
    tests_into: PurePosixPath | None
    packages: tuple[str, ...]
    import_root: Path
    tests_root: Path
    scripts_into: PurePosixPath | None

    def module(self, spec: Spec) -> str:
        """Return the dotted name of the module to import the class from."""
        return ".".join((*self.packages, spec.module))


def generate(
    catalog: Catalog, resolved: Resolved, style: Style, layout: Layout
) -> Mapping[PurePosixPath, bytes]:
    """Return the bytes of every file of the spec: the class first, classes beside it last."""
    files = _files(catalog, resolved, style, layout)
    for beside in resolved.beside:
        files |= _files(catalog, beside, style, layout)
    return files


def exported(
    resolved: Resolved, layout: Layout, source_of: Callable[[PurePosixPath], bytes | None]
) -> Iterator[tuple[str, str]]:
    """Yield the module and the name of each class that the package can export.

    Args:
        resolved: The spec, resolved.
        layout: Where its files go.
        source_of: Returns the planned content of a file; an existing file may hold another class.
    """
    for one in (resolved.spec, *(beside.spec for beside in resolved.beside)):
        source = source_of(layout.into / f"{one.module}.py") or b""
        if re.search(rf"^class {one.name}\b", source.decode("utf-8", "replace"), re.MULTILINE):
            yield layout.module(one), one.name


def _files(
    catalog: Catalog, resolved: Resolved, style: Style, layout: Layout
) -> dict[PurePosixPath, bytes]:
    spec = resolved.spec
    paths = {spec.target: layout.into / f"{spec.module}.py"}
    if layout.tests_into is not None:
        paths["test"] = layout.tests_into / f"test_{spec.module}.py"
    if (script := _training_script(resolved, layout)) is not None:
        paths["train"] = script
    sources = render(catalog, resolved, style, layout.module(spec), list(paths))
    return {path: sources[file].encode("utf-8") for file, path in paths.items()}


def _training_script(resolved: Resolved, layout: Layout) -> PurePosixPath | None:
    spec = resolved.spec
    if layout.scripts_into is None or resolved.template.training_for(spec.options) is None:
        return None
    return layout.scripts_into / f"train_{spec.module}.py"


def training_step(
    resolved: Resolved, layout: Layout, settings: Settings, root: Path, here: Path
) -> str:
    """Return the command that trains the class, to be run in the folder `here`, if there is one."""
    script = _training_script(resolved, layout)
    if script is None:
        return ""
    step = f"python {_shown(root / script, here)}"
    if root / script.parent == layout.import_root or settings.is_built:
        return step
    return f"PYTHONPATH={_shown(layout.import_root, here)} {step}"


def next_step(spec: Spec, layout: Layout, settings: Settings, root: Path, here: Path) -> str:
    """Return the command that tries the generated class, to be run in the folder `here`.

    Args:
        spec: What was generated.
        layout: Where, relative to `root`.
        settings: The project's settings, for what pytest finds by itself.
        root: The workspace's root, an absolute path.
        here: The user's current folder, an absolute path.
    """
    import_root = layout.import_root
    if layout.tests_into is None:
        step = f'python -c "from {layout.module(spec)} import {spec.name}"'
        return step if import_root == here else f"cd {_shown(import_root, here)} && {step}"
    test = _shown(root / layout.tests_into / f"test_{spec.module}.py", here)
    found_beside = import_root == layout.tests_root and not settings.imports_by_path
    known = [Path(os.path.normpath(settings.folder / path)) for path in settings.pytest_paths]
    if found_beside or import_root in known:
        return f"pytest {test}"
    # pytest reads `pythonpath` as relative to the pyproject.toml, if there is one.
    python_path = _shown(import_root, settings.folder)
    return f"pytest --rootdir={_shown(settings.folder, here)} -o pythonpath={python_path} {test}"


def _shown(path: Path, here: Path) -> str:
    """Return `path` as typed in the folder `here`."""
    return shlex.quote(Path(os.path.relpath(path, here)).as_posix())
