"""Black, as a step of the pipeline."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from scaffold.errors import ScaffoldError, UsageError

if TYPE_CHECKING:
    import black

LINE_LENGTH = 88


def black_mode(settings: Mapping[str, Any]) -> black.Mode:
    """Return Black's mode for the keys of a `[tool.black]` table.

    Without a `target-version`, the project's `requires-python` decides, as in black itself; without
    either, it is the oldest Python that Keras 3.15 supports.

    Raises:
        UsageError: If black does not know a value.
    """
    import black
    from black.files import infer_target_version
    from black.mode import TargetVersion

    versions = settings.get("target-version")
    project = {"project": {"requires-python": settings.get("requires-python")}}
    try:
        return black.Mode(
            target_versions=(
                set(infer_target_version(project) or [TargetVersion.PY311])
                if versions is None
                else {TargetVersion[str(version).upper()] for version in versions}
            ),
            line_length=int(settings.get("line-length", LINE_LENGTH)),
            string_normalization=not settings.get("skip-string-normalization", False),
            magic_trailing_comma=not settings.get("skip-magic-trailing-comma", False),
            preview=bool(settings.get("preview", False) or settings.get("unstable", False)),
            unstable=bool(settings.get("unstable", False)),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise UsageError(
            f"[tool.black] has a value that black does not know: {error}",
            fix="Fix it in pyproject.toml.",
        ) from None


def format_source(
    source: str, *, mode: black.Mode | None = None, line_length: int = LINE_LENGTH
) -> str:
    """Return `source` as formatted by black.

    Raises:
        ScaffoldError: If black can't parse it, which means that the template is wrong.
    """
    import black
    from black.parsing import InvalidInput

    try:
        with _uncollected():
            return black.format_str(source, mode=mode or black.Mode(line_length=line_length))
    except InvalidInput as error:
        raise ScaffoldError(
            f"black can't parse the output of the template: {error}",
            fix="This is a bug in the template; please report it with the command.",
        ) from None


@contextmanager
def _uncollected() -> Iterator[None]:
    """Pause garbage collection: traversing black's growing trees takes as long as formatting."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
