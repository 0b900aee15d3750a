"""The proofs of model templates: a module here for each one, read by the tests.

A module defines `PROOF`. The goldens are in `goldens`; `python tests/models/proof.py` regenerates
them, or those of the named templates. Nothing here imports Keras.
"""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from scaffold.generation.attributes.grammar import read_attribute
from scaffold.generation.catalog import Catalog
from scaffold.generation.composition import read_use
from scaffold.generation.request import Request
from scaffold.generation.resolving import resolve
from scaffold.generation.spec import Spec

HERE = Path(__file__).parent
GOLDENS = HERE / "goldens"
sys.path.insert(0, str(HERE.parent))  # When this runs as a script.


@dataclass(frozen=True)
class Size:
    """The number of parameters of the architecture at a known size.

    Args:
        golden: The folder of the class.
        arguments: The arguments of the constructor, as source.
        inputs: The shape of the inputs without the batch, as source; `None` if it is built.
        parameters: The total number of parameters.
        source: The origin of the number.
    """

    golden: str
    arguments: str
    inputs: str | None
    parameters: int
    source: str


@dataclass(frozen=True)
class Proof:
    """Everything that verifies one template.

    Args:
        goldens: The arguments of `scaffold model`, by the folder of the golden; the first is
            tested on every backend, the others on one of them.
        sizes: Known numbers of parameters.
        judged: Mutants that survive the generated tests, as the changed line, with the reason.
    """

    goldens: Mapping[str, Sequence[str]]
    sizes: Sequence[Size] = ()
    judged: Mapping[str, str] = field(default_factory=dict)


@cache
def proofs() -> dict[str, Proof]:
    """Return every proof, by the name of its template."""
    names = sorted(path.stem for path in HERE.glob("*.py"))
    own = [n for n in names if n not in ("proof", "page") and not n.startswith("test_")]
    return {name: importlib.import_module(f"models.{name}").PROOF for name in own}


def commands() -> dict[str, Sequence[str]]:
    """Return the arguments of `scaffold`, by the folder of the golden."""
    found = (goldens for proof in proofs().values() for goldens in proof.goldens.items())
    return {name: ["model", *words] for name, words in found}


def spec_of(golden: str) -> Spec:
    """Return the spec of the command of this golden."""
    _, name, *others = commands()[golden]
    switches = [word.removeprefix("--").split("=", 1) for word in others if word.startswith("--")]
    chosen = [value.split("=", 1) for key, value in switches if key == "option"]
    options = {key: value for key, value in switches if key in ("style", "head")}
    request = Request(
        "model",
        name,
        next((value for key, value in switches if key == "template"), None),
        options={**options, **dict(chosen)},
        attributes=tuple(read_attribute(word) for word in others if not word.startswith("--")),
        layers=tuple(read_use(value) for key, value in switches if key == "layer"),
    )
    return resolve(Catalog.builtin(), request, "golden").spec


def first_goldens() -> list[str]:
    """Return the golden of each template that is tested on every backend."""
    return [next(iter(proof.goldens)) for proof in proofs().values()]


def main() -> None:
    """Regenerate the goldens of the named templates, by default all."""
    from goldens import generate

    chosen = sys.argv[1:] or list(proofs())
    with tempfile.TemporaryDirectory() as scratch:
        for name in (name for template in chosen for name in proofs()[template].goldens):
            generate(commands()[name], Path(scratch) / name, "--package=golden")
            shutil.rmtree(GOLDENS / name, ignore_errors=True)
            shutil.copytree(Path(scratch) / name, GOLDENS / name)


if __name__ == "__main__":
    main()
