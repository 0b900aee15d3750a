"""What proves a template: `PROOF` in tests/templates, read by the tests and the benchmarks.

Importing a proof imports no Keras: what needs it, such as the arguments of a drop-in, is created by
functions that are called where Keras is there.
"""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

TARGETS = ("layer", "model")
TESTS = Path(__file__).parents[1]
TEMPLATES = TESTS / "templates"
sys.path.append(str(TESTS))  # Where the proofs are imported from, whatever runs.
# The files that a test marked `proof` names if it depends on the proofs of layers.
LAYER_PROOFS = ("tests/support/proofs.py", "tests/templates/layer/*/proof.py")


@dataclass(frozen=True)
class Call:
    """A layer's constructor, and a call of it.

    Args:
        arguments: Those of the constructor.
        inputs: What `call` gets first: an array, or lists and dicts of them.
        call: Further arguments of the call, such as `training` and `mask`.
    """

    arguments: Mapping[str, Any]
    inputs: Any
    call: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DropIn:
    """A generated class that stands in for one of Keras.

    Args:
        golden: The golden with the class.
        name: The class.
        builtin: The class in `keras.layers`.
        draw: Random arguments, good and bad ones, and inputs that go with them.
        plain: Arguments with which both can be made.
        refused: For an argument, values that both refuse with the same type of error.
        speed: What `make bench` calls: usual sizes.
        left_out: Arguments of the built-in that ours does without.
        added: Arguments of ours that the built-in does not name.
        cases: How many random cases are drawn.
        spoilt: Whether Keras itself computes this case wrong, by a defect that is written up.
        overwritten: Weights that a call of the built-in overwrites, by such a defect.
    """

    golden: str
    name: str
    builtin: str
    draw: Callable[[random.Random], Call]
    plain: Mapping[str, Any]
    refused: Mapping[str, Sequence[Any]]
    speed: Callable[[], Call]
    left_out: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    cases: int = 24
    spoilt: Callable[[Any, Any], bool] = lambda builtin, outputs: False
    overwritten: tuple[str, ...] = ()


@dataclass(frozen=True)
class Size:
    """The number of parameters of an architecture at a known size.

    Args:
        golden: The golden with the class.
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
    """Everything that proves one template.

    Args:
        goldens: The arguments of `scaffold layer` or `scaffold model`, by the name of the golden.
            The first of a model is an example, which is tested on every backend.
        drop_ins: The classes that stand in for some of Keras.
        sizes: Known numbers of parameters.
        judged: Mutants that survive the generated tests, as the changed line, with the reason.
        always_on: Backends on which it is tested in each run, and its mutants are tried, too:
            those on which state that is assigned in a call can go wrong.
    """

    goldens: Mapping[str, Sequence[str]]
    drop_ins: Sequence[DropIn] = ()
    sizes: Sequence[Size] = ()
    judged: Mapping[str, str] = field(default_factory=dict)
    always_on: tuple[str, ...] = ()


def folder_of(target: str, template: str) -> Path:
    """Return the folder of what proves a template."""
    return TEMPLATES / target / template


@cache
def proofs(target: str) -> dict[str, Proof]:
    """Return the proofs of all layer or model templates, by the name of the template."""
    names = sorted(path.parent.name for path in (TEMPLATES / target).glob("*/proof.py"))
    return {
        name: importlib.import_module(f"templates.{target}.{name}.proof").PROOF for name in names
    }
