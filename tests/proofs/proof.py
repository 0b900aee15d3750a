"""What proves a template: a module here for each one, read by the tests and the benchmarks.

A module gives `PROOF`. Nothing here imports Keras when it is read: what needs Keras, such as the
arguments of a drop-in, is made by functions that are called where Keras is there.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any


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
        golden: The folder of the class in tests/goldens.
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
class Proof:
    """All that proves one template.

    Args:
        goldens: What is typed behind `scaffold layer`, by the folder of the golden.
        drop_ins: The classes that stand in for some of Keras.
        judged: Mutants that survive the generated tests, as the changed line, with why that
            is right.
        always_on: Backends on which it is proved at each turn, and its mutants are tried, too:
            those where state that is assigned in a call goes wrong by itself.
    """

    goldens: Mapping[str, Sequence[str]]
    drop_ins: Sequence[DropIn] = ()
    judged: Mapping[str, str] = field(default_factory=dict)
    always_on: tuple[str, ...] = ()


@cache
def proofs() -> dict[str, Proof]:
    """Every proof, by the name of its template."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
    return {
        name: importlib.import_module(f"proofs.{name}").PROOF for name in names if name != "proof"
    }
