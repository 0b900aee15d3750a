"""Settings from `[tool.scaffold]` and `[tool.black]` in the nearest pyproject.toml."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scaffold.errors import UnsafeError, UsageError, pointing
from scaffold.pyproject import PYPROJECT, nearest_project
from scaffold.text import shown, unprintable
from scaffold.toml_tables import Entry, as_table, as_text, check_keys

# What Python reads as an encoding other than UTF-8 in the first two lines of a file.
_ENCODING = re.compile(r".*?coding[:=][ \t]*(?!utf-?8\b)[-\w.]", re.IGNORECASE)
_KEYS = ("package", "into", "models-into", "tests-into", "scripts-into", "license-header")
_TABLES = ("check",)  # Read where they are used.


@dataclass(frozen=True)
class Settings:
    """A project's settings for generated code.

    Args:
        folder: The folder of the pyproject.toml, or without one the current folder.
        package: The package to register classes under.
        into: Where classes go, relative to `folder`; `None` for the current folder.
        models_into: Where models go, likewise; `None` for `into`.
        tests_into: Where tests go, likewise; `None` for the folder of the class.
        scripts_into: Where training scripts go, likewise; `None` for where the class is found.
        license_header: The comment lines that each file begins with.
        black: The keys of `[tool.black]`, and `requires-python`, which black also reads.
        pytest_paths: What pytest puts on the import path, relative to `folder`.
        imports_by_path: Whether pytest leaves a test's own folder off the import path.
        exports: Whether packages export what is generated in them.
        is_built: Whether the project gets installed, so that its packages are found.
    """

    folder: Path
    package: str
    into: str | None = None
    models_into: str | None = None
    tests_into: str | None = None
    scripts_into: str | None = None
    license_header: str = ""
    black: Mapping[str, Any] = field(default_factory=dict)
    pytest_paths: tuple[str, ...] = ()
    imports_by_path: bool = False
    exports: bool = False
    is_built: bool = False

    def into_for(self, target: str) -> str | None:
        """Return where classes of this target go, relative to `folder`."""
        return (self.models_into if target == "model" else None) or self.into


def load_settings(start: Path, here: Path) -> Settings:
    """Load the settings for what is generated in `start`.

    Args:
        start: The folder of the class, an absolute path.
        here: The current folder, an absolute path.

    Raises:
        UsageError: If the pyproject.toml is not valid TOML, or has an unknown key or a value that
            is not a string.
        UnsafeError: If the license header contains invisible characters.
    """
    folder = nearest_project(start)
    if folder is None:
        return Settings(here, _as_package(start.name))
    path = folder / PYPROJECT
    whole = Entry("", str(path))
    try:
        whole = Entry(path.read_text(encoding="utf-8"), str(path))
        data = tomllib.loads(whole.file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is not valid TOML: {error}", fix="Fix the file.", place=whole.mistake(error)
        ) from None
    return _settings(folder, data, whole)


def _settings(folder: Path, data: dict[str, Any], whole: Entry) -> Settings:
    mine = _table(data, whole, "tool", "scaffold")
    where, at = f"[tool.scaffold] in {whole.path}", whole.child("tool", "scaffold")
    check_keys(mine, (*_KEYS, *_TABLES), where, at=at)
    for key, value in mine.items():
        if key not in _TABLES:
            with pointing(at.child(key).value):
                as_text(value, f"{where}: `{key}`", f'Write `{key} = "..."`.')
    header = mine.get("license-header", "")
    with pointing(at.child("license-header").value):
        _check_header(header)
    project = _table(data, whole, "project")
    name = project.get("name")
    pytest = _table(data, whole, "tool", "pytest", "ini_options")
    paths = pytest.get("pythonpath", [])
    black = dict(_table(data, whole, "tool", "black"))
    if "requires-python" in project:
        black["requires-python"] = project["requires-python"]
    return Settings(
        folder,
        mine.get("package") or _as_package(name if isinstance(name, str) else folder.name),
        mine.get("into"),
        mine.get("models-into"),
        mine.get("tests-into"),
        mine.get("scripts-into"),
        header,
        black,
        tuple(shlex.split(paths) if isinstance(paths, str) else map(str, paths)),
        "importlib" in str(pytest.get("addopts", "")),
        "scaffold" in data.get("tool", {}),
        "build-system" in data,
    )


def _check_header(header: str) -> None:
    for number, line in enumerate(header.splitlines()):
        if hidden := unprintable(line):
            raise UnsafeError(
                f"`license-header` contains the control character {hidden}",
                fix="Write it without invisible characters.",
            )
        if number < 2 and _ENCODING.match(line):
            raise UnsafeError(
                f"Python would read `{shown(line)}` in `license-header` as an encoding",
                fix="Avoid `coding:` and `coding=` in the first two lines.",
            )


def _table(data: Mapping[str, Any], whole: Entry, *keys: str) -> Mapping[str, Any]:
    """Return the table `[a.b]` for the keys `a` and `b`, empty if there is none."""
    for depth, key in enumerate(keys, start=1):
        name = ".".join(keys[:depth])
        fix = f"Write it as `[{name}]` with keys below it."
        with pointing(whole.child(*keys[:depth]).value):
            data = as_table(data.get(key, {}), f"`{name}` in {whole.path}", fix)
    return data


def _as_package(name: str) -> str:
    """Return `name` reduced to what a registered name can contain."""
    return re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:60] or "my_layers"
