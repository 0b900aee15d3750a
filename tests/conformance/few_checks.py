"""A few checks with short pages, and outcomes of them, for tests of reports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scaffold.conformance import registry
from scaffold.conformance.finding import Finding, Outcome, Status, Where
from scaffold.conformance.registry import Check, Target
from scaffold.conformance.subject import Subject

HERE = Path("/home/me/project")
CASE = "filters=4 input=2,8,8,3"


def _run(subject: Subject) -> Iterator[Finding]:
    yield from ()


def _check(
    id_: str,
    family: str,
    title: str,
    why: str,
    fix: str,
    needs: tuple[str, ...] = (),
    target: Target = "any",
    tag: str = "",
) -> Check:
    example = "  class Scale(keras.layers.Layer):\n-     factor = 1\n+     factor = 2\n"
    return Check(id_, family, title, why, fix, example, needs, target, tag, _run)


CHECKS = (
    _check(
        "constructs",
        "construction",
        "The constructor works.",
        "Nothing else can be checked on a class that can't be instantiated.",
        "pass arguments with `--args`.",
    ),
    _check(
        "config-complete",
        "configuration",
        "Every argument is in the config.",
        "A saved model is its config and its weights. What is left out comes back as its default."
        "\n\nNothing says so.",
        "write each argument into the dict that `get_config` returns.",
        needs=("constructs",),
    ),
    _check(
        "config-round-trip",
        "configuration",
        "A layer made from a config is the same as the one that wrote it, with its outputs.",
        "Loading makes it again.",
        "turn each value back into what the constructor takes.",
        needs=("constructs", "config-complete"),
    ),
    _check(
        "items-independent",
        "training_state",
        "No sample of a batch changes the output for another.",
        "Batches of other sizes would give other results.",
        "leave the batch's axis alone.",
        needs=("constructs",),
        tag="mixes-batch",
    ),
    _check(
        "model-summary",
        "models",
        "A summary can be printed.",
        "People look at it first.",
        "build every layer.",
        needs=("constructs",),
        target="model",
    ),
)


@pytest.fixture
def few_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register only these checks."""
    monkeypatch.setattr(registry, "checks", lambda: CHECKS)


def at(line: int, path: str = f"{HERE}/my_layers.py") -> Where:
    return Where(path, line)


def outcome(
    check: str,
    status: Status = "passed",
    *findings: Finding,
    reason: str = "",
    seconds: float = 0.25,
    backend: str = "tensorflow",
    subject: str = "my_layers:MyConv",
    case: str = CASE,
) -> Outcome:
    return Outcome(subject, case, backend, check, status, findings, reason, seconds)


MISSING = Finding("`strides` in the config", "only filters, name", at(31))
BROKEN = [
    outcome("constructs"),
    outcome("config-complete", "failed", MISSING),
    outcome("config-round-trip", "blocked", reason="needs config-complete"),
    outcome("items-independent", "expected", MISSING, reason="tagged `mixes-batch`"),
    outcome("model-summary", "not_applicable", reason="applies to models only"),
]
CLEAN = [
    outcome("constructs", subject="my_layers:Double", case="input=2,6"),
    outcome("config-complete", subject="my_layers:Double", case="input=2,6"),
]
