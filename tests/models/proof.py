"""What proves a template of models: a module here for each one, read by the tests.

A module gives `PROOF`. The folders of goldens stand in `goldens`; `python tests/models/proof.py`
renews them, or those of some templates by their names. Nothing here imports Keras.
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
from scaffold.generation.spec import Request, Spec, make_spec

HERE = Path(__file__).parent
GOLDENS = HERE / "goldens"
sys.path.insert(0, str(HERE.parent))  # Where this is a script.


@dataclass(frozen=True)
class Size:
    """How many parameters the architecture has at a size that people know.

    Args:
        golden: The folder of the class.
        arguments: Those of the constructor, as source.
        inputs: The shape of the inputs without the batch, as source; `None` if it is built.
        parameters: How many the weights have in all.
        source: Where the number comes from.
    """

    golden: str
    arguments: str
    inputs: str | None
    parameters: int
    source: str


@dataclass(frozen=True)
class Proof:
    """All that proves one template.

    Args:
        goldens: What is typed behind `scaffold model`, by the folder of the golden; the first
            is proved on every backend, the others on one of them.
        sizes: Known numbers of parameters.
        judged: Mutants that survive the generated tests, as the changed line, with why that
            is right.
    """

    goldens: Mapping[str, Sequence[str]]
    sizes: Sequence[Size] = ()
    judged: Mapping[str, str] = field(default_factory=dict)


@cache
def proofs() -> dict[str, Proof]:
    """Every proof, by the name of its template."""
    names = sorted(path.stem for path in HERE.glob("*.py"))
    own = [n for n in names if n not in ("proof", "page") and not n.startswith("test_")]
    return {name: importlib.import_module(f"models.{name}").PROOF for name in own}


def commands() -> dict[str, Sequence[str]]:
    """What is typed behind `scaffold`, by the folder of the golden."""
    found = (goldens for proof in proofs().values() for goldens in proof.goldens.items())
    return {name: ["model", *words] for name, words in found}


def spec_of(golden: str) -> Spec:
    """What is asked for in the command of this golden."""
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
    return make_spec(Catalog.builtin(), request, "golden")[0]


def first_goldens() -> list[str]:
    """The golden of each template that is proved on every backend."""
    return [next(iter(proof.goldens)) for proof in proofs().values()]


def main() -> None:
    """Renew the goldens of the templates that are named, else all."""
    from goldens import generate

    chosen = sys.argv[1:] or list(proofs())
    with tempfile.TemporaryDirectory() as scratch:
        for name in (name for template in chosen for name in proofs()[template].goldens):
            generate(commands()[name], Path(scratch) / name, "--package=golden")
            shutil.rmtree(GOLDENS / name, ignore_errors=True)
            shutil.copytree(Path(scratch) / name, GOLDENS / name)


if __name__ == "__main__":
    main()
