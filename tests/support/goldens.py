"""The goldens: what scaffold generates for some commands, compared exactly, and tested.

Their text is committed as examples and diffs: see `golden_texts`. `GOLDENS` has a folder for each.
`make goldens` renews all diffs, `python tests/support/goldens.py dense mlp` some.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import io
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import platformdirs

from golden_texts import PACKAGE, Files, committed, renew
from proofs import TARGETS, proofs
from scaffold.cli.generation import read as read_command
from scaffold.conformance.backends import BACKENDS
from scaffold.generation.catalog import Catalog
from scaffold.generation.resolving import resolve
from scaffold.generation.spec import Spec

SUPPORT = Path(__file__).parent
ROOT = SUPPORT.parents[1]
# Where the folders of the goldens are kept: the first that can be written.
CACHES = (ROOT / ".goldens", platformdirs.user_cache_path("keras-scaffold") / "goldens")
DAY = 24 * 60 * 60  # Seconds after which other versions of them are removed.


def commands(target: str) -> dict[str, list[str]]:
    """Return the arguments of `scaffold` for each golden of a target."""
    goldens = (item for proof in proofs(target).values() for item in proof.goldens.items())
    return {name: [target, *words] for name, words in goldens}


# The arguments of `scaffold`, by the golden.
COMMANDS = {name: words for target in TARGETS for name, words in commands(target).items()}


def written(texts: Mapping[str, Files], caches: Sequence[Path]) -> Path:
    """Return a folder that has one for each golden, after writing it unless it is there.

    Processes share it: its name is a hash of its content, and it gets the name once it is complete.
    If no cache can be written, it is temporary.
    """
    name = hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:16]
    for cache in caches:
        with contextlib.suppress(OSError):
            if not (cache / name).exists():
                _write(texts, cache / name)
            return cache / name
    alone = tempfile.mkdtemp(prefix="goldens-")
    atexit.register(shutil.rmtree, alone, ignore_errors=True)
    _write(texts, Path(alone) / name)
    return Path(alone) / name


def _write(texts: Mapping[str, Files], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="new-", dir=target.parent))
    for golden, files in texts.items():
        (scratch / golden).mkdir()
        for file, text in files.items():
            (scratch / golden / file).write_text(text, "utf-8", newline="\n")
    try:
        scratch.rename(target)
    except OSError:
        shutil.rmtree(scratch)
        if not target.exists():  # Otherwise, another process was first.
            raise
    for other in target.parent.iterdir():
        if other != target and time.time() - other.stat().st_mtime > DAY:
            shutil.rmtree(other, ignore_errors=True)


GOLDENS = written(committed(), CACHES)
# The folders of layers, by template.
FOLDERS = {
    name: [GOLDENS / golden for golden in proof.goldens] for name, proof in proofs("layer").items()
}


def layers_of(templates: Sequence[str], **_: str) -> list[Path]:
    """Return the folders of some templates of layers."""
    return [folder for template in templates for folder in FOLDERS[template]]


def kinds(folders: list[Path]) -> list[Path]:
    """Return one of each kind: one rank, preferably 2, and none with custom attributes."""
    found: dict[str, Path] = {}
    for folder in folders:
        if not folder.name.endswith("_with_attributes"):
            kind = re.sub(r"[123]d", "", folder.name)
            if kind not in found or "2d" in folder.name:
                found[kind] = folder
    return list(found.values())


# The layers to test on every backend, by template.
KINDS = {name: kinds(folders) for name, folders in FOLDERS.items()}
# Templates that are tested in one process, which imports Keras once.
SHARDS = [[*FOLDERS][first::6] for first in range(6)]


def backends_of(turn: int, every: bool) -> tuple[str, ...]:
    """Return the backends of a shard: Torch, which doesn't compile, and another one in turn."""
    return BACKENDS if every else ("torch", ("tensorflow", "jax")[turn % 2])


def besides(every: bool) -> list[tuple[str, str]]:
    """Return templates with backends that must be tested but are not theirs in turn."""
    return [
        (name, backend)
        for turn, templates in enumerate(SHARDS)
        for name in templates
        for backend in proofs("layer")[name].always_on
        if backend not in backends_of(turn, every)
    ]


def first_goldens() -> list[str]:
    """Return the golden of each model template that is tested on every backend."""
    return [next(iter(proof.goldens)) for proof in proofs("model").values()]


def spec_of(golden: str) -> Spec:
    """Return the spec of the command of this golden."""
    request, _ = read_command(COMMANDS[golden])
    return resolve(Catalog.builtin(), request, PACKAGE).spec


def generate(arguments: Sequence[str], folder: Path, *options: str) -> dict[str, str]:
    """Run the command in `folder`, and return the files that it writes, by name."""
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
    """Return the text of every file in `folder`, by name."""
    return {
        path.name: path.read_text("utf-8") for path in sorted(folder.iterdir()) if path.is_file()
    }


def main() -> None:
    """Renew the diffs of the named templates, by default all."""
    known = {(target, name) for target in TARGETS for name in proofs(target)}
    if unknown := {*sys.argv[1:]} - {name for _, name in known}:
        raise SystemExit(f"template not found: {', '.join(sorted(unknown))}")
    for target, template in sorted(known):
        if template in (sys.argv[1:] or [template]):
            with tempfile.TemporaryDirectory() as scratch:
                generated = {
                    golden: generate(
                        COMMANDS[golden], Path(scratch) / golden, f"--package={PACKAGE}"
                    )
                    for golden in proofs(target)[template].goldens
                }
            renew(target, template, generated)


if __name__ == "__main__":
    main()
