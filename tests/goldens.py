"""The exact-text goldens: what scaffold gives for a few commands, in tests/goldens/.

Renew them, and generated_examples/, with `make goldens`, or those of some templates with
`python tests/goldens.py dense conv`; then read the diff aloud.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from proofs.proof import proofs

ROOT = Path(__file__).parent.parent
GOLDENS = Path(__file__).parent / "goldens"
EXAMPLES = ROOT / "generated_examples"

# What is typed behind `scaffold`, by the folder's name.
COMMANDS = {
    name: ["layer", *words] for proof in proofs().values() for name, words in proof.goldens.items()
}
# The same for generated_examples, one command behind the other: what the tutorial shows and what
# its questions ask for, as it should have been.
EXAMPLE_COMMANDS = {
    "custom_layer": [
        ["layer", "CustomLayer", "--template=projection"],
        [
            *("model", "CustomModel", "--layer=custom_layer.py:CustomLayer:output_dim=32"),
            *("--layer=ReLU", "--layer=Flatten", "--layer=Dense:units=10"),
        ],
    ],
    "custom_sequential": [
        ["layer", "CustomConv2D", "--base=keras.layers.Conv2D", "gain:float=1.0{>0}"],
        ["layer", "CustomDense", "--base=keras.layers.Dense", "gain:float=1.0{>0}"],
        [
            *("model", "CustomSequential", "--style=sequential"),
            "--layer=custom_conv2d.py:CustomConv2D:filters=16:kernel_size=3:activation=relu",
            *("--layer=Flatten", "--layer=custom_dense.py:CustomDense:units=10"),
        ],
    ],
}
# Where they are, by the template; the committed examples stand beside the templates.
FOLDERS = {
    **{name: [GOLDENS / golden for golden in proof.goldens] for name, proof in proofs().items()},
    "examples": [EXAMPLES],
}


def kinds(folders: list[Path]) -> list[Path]:
    """One of each kind: a single rank, 2 if there is one, and none with the user's attributes."""
    found: dict[str, Path] = {}
    for folder in folders:
        if not folder.name.endswith("_with_attributes"):
            kind = re.sub(r"[123]d", "", folder.name)
            if kind not in found or "2d" in folder.name:
                found[kind] = folder
    return list(found.values())


# What is proved on every backend, by the template.
KINDS = {name: kinds(folders) for name, folders in FOLDERS.items()}
# Templates that are proved in one process, which imports Keras once.
SHARDS = [[*FOLDERS][first::6] for first in range(6)]


def generate(arguments: Sequence[str], folder: Path, *options: str) -> dict[str, str]:
    """The files that the command writes into `folder`, by name."""
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
    """The text of every generated file in `folder`, by name."""
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
    for name, commands in EXAMPLE_COMMANDS.items() if not sys.argv[1:] else ():
        for arguments in commands:
            generate(arguments, EXAMPLES / name, "--package=examples", "--on-conflict=overwrite")


if __name__ == "__main__":
    main()
