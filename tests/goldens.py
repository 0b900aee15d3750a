"""The exact-text goldens: what scaffold generates for a few commands, in tests/goldens/.

Renew them with `make goldens`, or some with `python tests/goldens.py dense conv`; then read the
diff aloud.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from proofs.proof import proofs
from scaffold.conformance.backends import BACKENDS

ROOT = Path(__file__).parent.parent
GOLDENS = Path(__file__).parent / "goldens"

# The arguments of `scaffold`, by the folder's name.
COMMANDS = {
    name: ["layer", *words] for proof in proofs().values() for name, words in proof.goldens.items()
}
# Their folders, by template.
FOLDERS = {name: [GOLDENS / golden for golden in proof.goldens] for name, proof in proofs().items()}


def kinds(folders: list[Path]) -> list[Path]:
    """One of each kind: a single rank, 2 if there is one, and none with the user's attributes."""
    found: dict[str, Path] = {}
    for folder in folders:
        if not folder.name.endswith("_with_attributes"):
            kind = re.sub(r"[123]d", "", folder.name)
            if kind not in found or "2d" in folder.name:
                found[kind] = folder
    return list(found.values())


# What is proved on every backend, by template.
KINDS = {name: kinds(folders) for name, folders in FOLDERS.items()}
# Templates that are proved in one process, which imports Keras once.
SHARDS = [[*FOLDERS][first::6] for first in range(6)]


def backends_of(turn: int, every: bool) -> tuple[str, ...]:
    """Return where one is proved: on Torch, which compiles nothing, and on another in turn."""
    return BACKENDS if every else ("torch", ("tensorflow", "jax")[turn % 2])


def besides(every: bool) -> list[tuple[str, str]]:
    """Return templates with the backends where they are always proved, whatever the turn."""
    return [
        (name, backend)
        for turn, templates in enumerate(SHARDS)
        for name in templates
        for backend in proofs()[name].always_on
        if backend not in backends_of(turn, every)
    ]


def generate(arguments: Sequence[str], folder: Path, *options: str) -> dict[str, str]:
    """Return the files that the command writes into `folder`, by name."""
    from scaffold.cli import main as scaffold

    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        try:
            scaffold([*arguments, f"--into={folder}", *options])
        except SystemExit as end:
            if end.code:
                raise
    return read(folder)


def read(folder: Path) -> dict[str, str]:
    """Return the text of every generated file in `folder`, by name."""
    return {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.is_file()}


def main() -> None:
    import shutil
    import tempfile

    chosen = sys.argv[1:] or list(proofs())
    names = [name for template in chosen for name in proofs()[template].goldens]
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            generate(COMMANDS[name], Path(scratch) / name, "--package=golden")
            shutil.rmtree(GOLDENS / name, ignore_errors=True)
            shutil.copytree(Path(scratch) / name, GOLDENS / name)


if __name__ == "__main__":
    main()
