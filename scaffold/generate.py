"""From a spec to the files that it asks for: paths, sources, and the line to run next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from scaffold.catalog import Catalog
from scaffold.render import Style, render
from scaffold.settings import Settings
from scaffold.spec import Spec


@dataclass(frozen=True, slots=True)
class Layout:
    """Where generated files go, relative to the workspace's root.

    Args:
        into: The folder of the class.
        tests_into: The folder of its test; `None` for no test.
        packages: The Python packages that `into` is inside of, outermost first.
        import_root: The folder that the outermost package, or the module, lies in.
    """

    into: PurePosixPath
    tests_into: PurePosixPath | None
    packages: tuple[str, ...]
    import_root: PurePosixPath

    def module(self, spec: Spec) -> str:
        """The dotted name that the class is imported from."""
        return ".".join((*self.packages, spec.module))


def generate(
    catalog: Catalog, spec: Spec, style: Style, layout: Layout
) -> Mapping[PurePosixPath, bytes]:
    """The bytes of every file that the spec asks for, the class first."""
    paths = {"layer": layout.into / f"{spec.module}.py"}
    if layout.tests_into is not None:
        paths["test"] = layout.tests_into / f"test_{spec.module}.py"
    sources = render(catalog, spec, style, layout.module(spec), list(paths))
    return {path: sources[file].encode("utf-8") for file, path in paths.items()}


def next_step(spec: Spec, layout: Layout, settings: Settings) -> str:
    """The line that tries the generated class, from the workspace's root."""
    if layout.tests_into is None:
        return f'python -c "from {layout.module(spec)} import {spec.name}"'
    test = layout.tests_into / f"test_{spec.module}.py"
    found_beside = layout.import_root == layout.tests_into and not settings.imports_by_path
    if found_beside or str(layout.import_root) in settings.pytest_paths:
        return f"pytest {test}"
    return f"pytest --rootdir=. -o pythonpath={layout.import_root} {test}"
