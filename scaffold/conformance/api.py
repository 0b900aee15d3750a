"""`check`: the whole contract, in Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scaffold.conformance.case import case_from
from scaffold.conformance.finding import Outcome, failed
from scaffold.conformance.registry import select, with_needed
from scaffold.conformance.runner import run
from scaffold.conformance.subject import Subject


class ConformanceError(AssertionError):
    """The contract is broken; `outcomes` are the checks that failed."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        from scaffold.conformance.report.text import described

        super().__init__("\n".join(described(outcome) for outcome in outcomes))
        self.outcomes = outcomes


def check(
    target: Any,
    *,
    args: Mapping[str, Any] | None = None,
    input: Any = None,  # noqa: A002 - the word of the command line
    only: Iterable[str] = (),
    skip: Iterable[str] = (),
    tags: Iterable[str] = (),
    expected_failures: Mapping[str, str] | None = None,
    raises: bool = True,
) -> list[Outcome]:
    """Placeholder of the whole; see below."""
    case = case_from(
        {
            "args": args or {},
            "input": input,
            "tags": tuple(tags),
            "expected_failures": expected_failures or {},
        }
    )
    chosen = select(only, skip)
    outcomes = list(run(Subject(target, case), with_needed(chosen)))
    if raises and failed(outcomes):
        raise ConformanceError(failed(outcomes))
    return outcomes
