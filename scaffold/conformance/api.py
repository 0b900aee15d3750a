"""`check` and `parametrize_with_checks`: the whole contract, in Python and in pytest."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from scaffold.cases import case_from
from scaffold.conformance.finding import Outcome, failed
from scaffold.conformance.finding_cases import cases_of
from scaffold.conformance.lazy import keras
from scaffold.conformance.process.fresh import FreshProcess
from scaffold.conformance.registry import Check, find, select, with_needed
from scaffold.conformance.runner import run
from scaffold.conformance.subject import Subject
from scaffold.errors import UsageError

if TYPE_CHECKING:
    import pytest

_FRESH = "loads-in-fresh-process"


class ConformanceError(AssertionError):
    """The contract is broken; `outcomes` holds the checks that failed."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        from scaffold.conformance.report.text import described

        super().__init__("\n".join(described(outcome) for outcome in outcomes))
        self.outcomes = outcomes


def check(
    target: Any,
    *,
    args: Mapping[str, Any] | None = None,
    input: Any = None,  # noqa: A002 - as on the command line
    call: Mapping[str, Any] | None = None,
    tags: Iterable[str] = (),
    only: Iterable[str] = (),
    skip: Iterable[str] = (),
    expected_failures: Mapping[str, str] | None = None,
    raises: bool = True,
) -> list[Outcome]:
    """Check a layer or model class against Keras's contract, in this process.

    Args:
        target: The class, or a callable that takes keyword overrides such as `dtype` and `name`
            and returns a new instance.
        args: Constructor arguments.
        input: First argument of `call`: a shape such as `(2, 8, 8, 3)`, a string such as
            `"2,6:int32:0..10"`, an `Input`, or lists and dicts of these.
        call: Other arguments of `call`.
        tags: Declared departures from the contract; a tag that doesn't apply is a finding.
        only: Ids of the checks to report; all if omitted.
        skip: Ids of checks to leave out.
        expected_failures: Ids of checks that are expected to fail, each with the reason; one that
            passes is a finding.
        raises: Whether to raise an error if there are findings.

    Returns:
        The outcome of each check, for each case.

    Raises:
        ConformanceError: If there is a finding.
        UsageError: If an argument is invalid.
    """
    given = {
        "args": args,
        "input": input,
        "call": call,
        "tags": tuple(tags),
        "expected_failures": expected_failures,
    }
    chosen = select(only, skip)
    wanted = {one.id for one in chosen}
    needed = with_needed(chosen)
    fresh = _fresh(tuple(sys.path)) if any(one.id == _FRESH for one in needed) else None
    outcomes = [
        outcome
        for subject in _subjects(target, {k: v for k, v in given.items() if v}, fresh)
        for outcome in run(subject, needed)
        if outcome.check in wanted
    ]
    if raises and failed(outcomes):
        raise ConformanceError(failed(outcomes))
    return outcomes


def parametrize_with_checks(
    targets: Iterable[Any],
    *,
    only: Iterable[str] = (),
    skip: Iterable[str] = (),
    expected_failures: Mapping[str, str] | None = None,
) -> pytest.MarkDecorator:
    """Make each check of each case a test: decorate `def test_contract(check): check()` with it.

    Args:
        targets: Classes, each alone or as a pair with its case: `(MyConv, {"args": {"filters": 4},
            "input": (2, 8, 8, 3)})`.
        only: Ids of the checks; all if omitted.
        skip: Ids of checks to leave out.
        expected_failures: Ids of checks that are expected to fail, each with the reason; one that
            passes is an error.

    Raises:
        UsageError: If an argument is invalid.
    """
    import pytest

    reasons = {find(id_).id: why for id_, why in (expected_failures or {}).items()}
    parameters = [
        pytest.param(bound, id=name, marks=_marks(reasons.get(one.id)))
        for target in targets
        for one, bound, name in bound_checks(target, select(only, skip))
    ]
    return pytest.mark.parametrize("check", parameters)


def _marks(reason: str | None) -> list[pytest.MarkDecorator]:
    import pytest

    if reason is None:
        return []
    return [pytest.mark.xfail(reason=reason, strict=True, raises=ConformanceError)]


def bound_checks(
    target: Any, chosen: Iterable[Check]
) -> Iterator[tuple[Check, Callable[[], None], str]]:
    """Yield each check of each case of a target, as a test function with its name.

    Args:
        target: A class, or a pair of a class and its case.
        chosen: The checks.
    """
    cls, data = target if isinstance(target, tuple) else (target, {})
    subjects = list(_subjects(cls, data, None))
    for number, subject in enumerate(subjects):
        results = _Results(subject)
        name = subject.cls.__qualname__ + (f"-{number}" if len(subjects) > 1 else "")
        for one in chosen:
            if one.target == "any" or (one.target == "model") == subject.is_model:
                yield one, _Bound(results, one), f"{name}-{one.id}"


class _Results:
    """The outcomes of a case so far, so that a check that several others need runs once."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.outcomes: dict[str, Outcome] = {}

    def of(self, check: Check) -> Outcome:
        if check.id == _FRESH:
            self.subject.fresh = _fresh(tuple(sys.path))
        known = {id_: outcome.status for id_, outcome in self.outcomes.items()}
        for outcome in run(self.subject, with_needed([check]), known=known):
            self.outcomes[outcome.check] = outcome
        return self.outcomes[check.id]


class _Bound:
    """One check of one case, to be called in a test."""

    def __init__(self, results: _Results, check: Check) -> None:
        self._results = results
        self._check = check

    def __call__(self) -> None:
        """Run the check.

        Raises:
            ConformanceError: If it has findings.
        """
        import pytest

        outcome = self._results.of(self._check)
        if outcome.status == "failed":
            raise ConformanceError([outcome])
        if outcome.status == "expected":
            pytest.xfail(outcome.reason)
        if outcome.status != "passed":
            pytest.skip(outcome.reason)


def _subjects(target: Any, data: Any, fresh: FreshProcess | None) -> Iterator[Subject]:
    if not callable(target):
        raise UsageError(
            f"can't check an object of type `{type(target).__name__}`",
            fix="Pass the class, or a function that returns a new instance",
        )
    if isinstance(target, type):
        from pathlib import Path

        for case, _ in cases_of(target, data, Path.cwd()):
            yield Subject(target, case, fresh)
    else:
        case = case_from(data)
        made = target(**case.args)
        yield Subject(type(made), case, fresh, target)


@cache
def _fresh(path: tuple[str, ...]) -> FreshProcess:
    """Return the other process for runs with this `sys.path`; it ends with this one."""
    process = FreshProcess(keras.backend.backend(), path)
    atexit.register(process.close)
    return process
