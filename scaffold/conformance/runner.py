"""Runs checks on a subject: what each needs first, and every exception a finding."""

from __future__ import annotations

import gc
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from scaffold.conformance.finding import Finding, Outcome, Status
from scaffold.conformance.lazy import keras
from scaffold.conformance.registry import Check, NotApplicable, find, refuse_unknown_tags, tags
from scaffold.conformance.subject import Subject
from scaffold.conformance.unsupported import is_beyond_this_cpu

_UNKNOWN = ("failed", "blocked", "expected", "not_run_here")
_HERE = "TensorFlow has this operation with oneDNN or XLA only on a CPU"


class NotRunHere(Exception):  # noqa: N818 - as `NotApplicable`: nothing went wrong
    """Raised where this processor lacks an operation that Keras's own layer would need too."""


def run(
    subject: Subject,
    checks: Iterable[Check],
    *,
    starting: Callable[[Check], None] = lambda check: None,
    known: Mapping[str, Status] | None = None,
) -> Iterator[Outcome]:
    """How each of `checks` ends for `subject`.

    Args:
        subject: The class in a case.
        checks: The checks with all that they need, in the order in which they run.
        starting: Called before each check.
        known: How checks ended that have run before, which are not run again.

    Raises:
        UsageError: If the case has a tag or expects a failure that there is none of.
    """
    keras.config.disable_traceback_filtering()
    ended: dict[str, Status] = dict(known or {})
    reasons = expected_failures(subject)
    for check in checks:
        if check.id in ended:
            continue
        starting(check)
        started = time.perf_counter()
        status, findings, reason = _ended(check, subject, ended, reasons.get(check.id, ""))
        ended[check.id] = status
        seconds = time.perf_counter() - started
        placed = tuple(_placed(finding, subject) for finding in findings)
        yield Outcome(subject.name, str(subject.case), subject.backend, check.id, status,
                      placed, reason, seconds)  # fmt: skip


def expected_failures(subject: Subject) -> dict[str, str]:
    """The checks that the subject is declared to fail, each with the reason.

    Raises:
        UsageError: If there is no such check or tag.
    """
    refuse_unknown_tags(sorted(subject.case.tags))
    known = tags()
    declared = {known[tag].id: f"tagged `{tag}`" for tag in sorted(subject.case.tags)}
    return declared | {find(id_).id: why for id_, why in subject.case.expected_failures.items()}


def _ended(
    check: Check, subject: Subject, ended: Mapping[str, Status], expected: str
) -> tuple[Status, tuple[Finding, ...], str]:
    if check.target != "any" and (check.target == "model") != subject.is_model:
        return "not_applicable", (), f"it is for a {check.target}"
    if missing := [need for need in check.needs if ended.get(need) in _UNKNOWN]:
        return "blocked", (), f"needs {missing[0]}"
    try:
        findings = _findings(check, subject)
    except NotApplicable as reason:
        return "not_applicable", (), str(reason)
    except NotRunHere as reason:
        return "not_run_here", (), str(reason)
    if expected and findings:
        return "expected", findings, expected
    if expected:
        pointless = Finding(f"a failure, since it is declared: {expected}", "none")
        return "failed", (pointless,), "declare it no more"
    return ("failed" if findings else "passed"), findings, ""


def _findings(check: Check, subject: Subject) -> tuple[Finding, ...]:
    keras.utils.set_random_seed(0)
    found: list[Finding] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found.extend(check.run(subject))
        except (NotApplicable, NotRunHere):
            raise
        except (Exception, SystemExit) as error:
            found.append(raised(error, subject))
    return tuple(found)


def _placed(finding: Finding, subject: Subject) -> Finding:
    """The finding with a place, that of the class if the check knows none."""
    return finding if finding.where else replace(finding, where=subject.source.at(None))


# JAX maps some pages for each function that it compiles, and Linux ends a process that has 65,530
# mappings: the recurrent layers of Keras make about 5,000 for each case.
FORGET_AFTER = 4


def forget() -> None:
    """Free what Keras and JAX keep of all that was checked; to be called each `FORGET_AFTER`."""
    keras.utils.clear_session()
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
    gc.collect()


def raised(error: BaseException, subject: Subject) -> Finding:
    """The finding that is an exception out of the user's code.

    Raises:
        NotRunHere: If the processor lacks the operation.
    """
    if is_beyond_this_cpu(error):
        raise NotRunHere(_HERE) from error
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = " ".join(lines)[:300]
    where = subject.source.where_raised(error.__traceback__)
    return Finding("no error", f"{type(error).__name__}: {text}".removesuffix(": "), where)


def statuses(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """How each check ended, by id."""
    return {outcome.check: outcome.status for outcome in outcomes}
