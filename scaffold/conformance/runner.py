"""Runs checks on a subject, each after those it needs; exceptions become findings."""

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
_HERE = "on CPUs, TensorFlow supports this operation only with oneDNN or XLA"


class NotRunHere(Exception):  # noqa: N818 - as `NotApplicable`: nothing went wrong
    """This processor lacks an operation that Keras's own layer would need, too."""


def run(
    subject: Subject,
    checks: Iterable[Check],
    *,
    starting: Callable[[Check], None] = lambda check: None,
    known: Mapping[str, Status] | None = None,
) -> Iterator[Outcome]:
    """Yield the outcome of each of `checks` for `subject`.

    Args:
        subject: The class in a case.
        checks: The checks and all that they need, in the order they run.
        starting: Called before each check.
        known: Statuses of checks that have already run; these are not run again.

    Raises:
        UsageError: If a tag or an expected failure of the case is unknown.
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
    """Return the checks that the subject is declared to fail, each with the reason.

    Raises:
        UsageError: If a check or tag is unknown.
    """
    refuse_unknown_tags(sorted(subject.case.tags))
    known = tags()
    declared = {known[tag].id: f"tagged `{tag}`" for tag in sorted(subject.case.tags)}
    return declared | {find(id_).id: why for id_, why in subject.case.expected_failures.items()}


def _ended(
    check: Check, subject: Subject, ended: Mapping[str, Status], expected: str
) -> tuple[Status, tuple[Finding, ...], str]:
    if check.target != "any" and (check.target == "model") != subject.is_model:
        return "not_applicable", (), f"applies to {check.target}s only"
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
        pointless = Finding(f"a failure, as declared ({expected})", "none")
        return "failed", (pointless,), "remove the declaration"
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
    """Return the finding with a location, that of the class if it has none."""
    return finding if finding.where else replace(finding, where=subject.source.at(None))


# JAX maps memory for each function that it compiles, and Linux ends a process with 65,530
# mappings: Keras's recurrent layers make about 5,000 per case.
FORGET_AFTER = 4


def forget() -> None:
    """Free what Keras and JAX keep of checked classes; call it every `FORGET_AFTER` classes."""
    keras.utils.clear_session()
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
    gc.collect()


def raised(error: BaseException, subject: Subject) -> Finding:
    """Return the finding for an exception in the user's code.

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
    """Return the status of each check, by id."""
    return {outcome.check: outcome.status for outcome in outcomes}
