"""A store of proofs: what was proved with the same files on the same kind of machine.

A store is a file with a line for each proof, which begins with a hash of all that the proof depends
on. The variable `SCAFFOLD_PROOFS` names stores: all are read, and the first is written.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import platformdirs

VARIABLE = "SCAFFOLD_PROOFS"
# What decides which kernels the backends choose.
_FEATURES = {"avx", "avx2", "fma", "avx512f", "avx512_bf16", "avx_vnni", "amx_bf16"}
_VARIABLES = ("TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS")
_KEY_LENGTH = 32


def stores() -> list[Path]:
    """Return the files of `SCAFFOLD_PROOFS`, or the one in the user's cache folder."""
    named = os.environ.get(VARIABLE)
    if named:
        return [Path(name) for name in named.split(os.pathsep)]
    return [platformdirs.user_cache_path("keras-scaffold") / "proofs"]


@dataclass(frozen=True)
class ProofStore:
    """Proofs by their keys.

    Args:
        files: The stores; the first is written.
    """

    files: Sequence[Path]

    @cached_property
    def keys(self) -> set[str]:
        """The keys in all files when they were first read."""
        return {line.split()[0] for file in self.files for line in _lines(file)}

    def take(self, key: str, what: str) -> bool:
        """Return whether there is a proof, which the first store then has, too."""
        if key not in self.keys:
            return False
        self.copy({key: what})
        return True

    def copy(self, taken: Mapping[str, str]) -> None:
        """Add to the first store the proofs that were taken from the others."""
        there = ProofStore(self.files[:1]).keys
        for key, what in taken.items():
            if key not in there:
                self.add(key, what)

    def add(self, key: str, what: str) -> None:
        """Append a proof to the first store. Several processes may do so at the same time.

        Where the store can't be written, everything is proved again the next time.
        """
        today = datetime.now(UTC).date().isoformat()
        with contextlib.suppress(OSError):
            self.files[0].parent.mkdir(parents=True, exist_ok=True)
            with self.files[0].open("a", encoding="utf-8") as file:
                file.write(f"{key} {today} {what}\n")


def key(what: str, files: Sequence[str], backend: str) -> str:
    """Return the hash of all that a proof depends on.

    Args:
        what: What is proved.
        files: Hashes of the files.
        backend: The backend.
    """
    names = _VARIABLES if backend == "tensorflow" else _VARIABLES[1:]
    depends = {
        "what": what,
        "files": files,
        "machine": _machine(),
        "variables": {name: os.environ.get(name, "") for name in names},
    }
    text = json.dumps(depends, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]


@cache
def content(path: Path) -> str:
    """Return a hash of a file, or of all files in a folder with their names."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    found = [
        (file.relative_to(path).as_posix(), content(file))
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.suffix != ".pyc"
    ]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


@cache
def _machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "packages": sorted(
            f"{one.name}=={one.version}"
            for one in importlib.metadata.distributions()
            if one.name not in ("keras-scaffold", "pip", "setuptools")
        ),
        "processor": [platform.system(), platform.machine(), *_features()],
    }


def _features() -> list[str]:
    for line in _lines(Path("/proc/cpuinfo")):
        if line.startswith("flags"):
            return sorted(_FEATURES & {*line.split()})
    return []


def _lines(file: Path) -> Iterator[str]:
    try:
        yield from filter(str.strip, file.read_text(encoding="utf-8").splitlines())
    except OSError:
        return
