"""Stores earlier results: a file for each unit, in `.examples/results`."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path

import scaffold
from tools.examples.build import Built
from tools.examples.verify.result import Result

HOME = Path(".examples")
_RESULTS = HOME / "results"
_PACKAGES = ("keras", "numpy", "pytest", "scikit-learn")
# What affects the result of an example, besides its own files.
_JUDGES = (
    *("scaffold/conformance", "scaffold/cases.py"),
    *("tools/examples/build.py", "tools/examples/verify"),
)


def digest(built: Built, backend: str, device: str) -> str:
    """Return a digest of everything that a result depends on."""
    known = {
        "files": {name: content.decode("utf-8") for name, content in built.files.items()},
        "task": built.task and asdict(built.task),
        "backend": [backend, device],
        "versions": versions(backend),
        "judges": _judges(),
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]


def versions(backend: str) -> dict[str, str]:
    """Return the versions of Python and of the packages that a result depends on.

    They exclude the name of a build, such as `+cpu` for Torch, so that the page can show results
    from other machines.
    """
    found = {"python": platform.python_version()}
    for package in (*_PACKAGES, backend):
        try:
            found[package] = importlib.metadata.version(package).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def known(example: str, backend: str, device: str) -> Result | None:
    """Return the last result of a unit, if there is one."""
    try:
        data = json.loads(_file(example, backend, device).read_text(encoding="utf-8"))
        return Result.from_data(data)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # It never ran, or was written by another version: run it again.


def all_known() -> Iterator[Result]:
    """Yield the last results of all examples."""
    for file in sorted(_RESULTS.glob("*.json")):
        example, backend, device = file.stem.rsplit("-", 2)
        if (result := known(example, backend, device)) is not None:
            yield result


def keep(result: Result) -> None:
    """Write a result atomically."""
    file = _file(result.example, result.backend, result.device)
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result.data(), indent=1) + "\n"
    new = file.with_suffix(f".{os.getpid()}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def _file(example: str, backend: str, device: str) -> Path:
    return _RESULTS / f"{example}-{backend}-{device}.json"


@cache
def _judges() -> Mapping[str, str]:
    root = Path(scaffold.__file__).parents[1]
    files = [
        file
        for judge in _JUDGES
        for file in ([root / judge] if judge.endswith(".py") else (root / judge).rglob("*.py"))
    ]
    return {
        file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(files)
    }
