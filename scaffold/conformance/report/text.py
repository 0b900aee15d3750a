"""Outcomes as text, a block for each class, case and backend."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from scaffold.conformance.finding import Finding, Outcome
from scaffold.conformance.report.view import (
    opening,
    page_of,
    place,
    printable,
    sentence,
)

_LABEL = 9
# Maximum number of findings, or of names in a row, unless verbose.
_MOST = 5
_RAN = ("passed", "failed", "expected")


class Style(Protocol):
    """Styles a piece of text for a terminal."""

    def __call__(
        self,
        text: str,
        *,
        fg: str | None = None,
        bold: bool | None = None,
        underline: bool | None = None,
    ) -> str: ...


def unstyled(
    text: str, *, fg: str | None = None, bold: bool | None = None, underline: bool | None = None
) -> str:
    """Return `text` unchanged."""
    return text


@dataclass(frozen=True)
class Look:
    """How the text looks.

    Args:
        here: The folder to which paths below it are relative.
        width: Maximum line length, in characters.
        verbose: Whether to list the checks that passed and those that were not run.
        style: Styles a piece of it.
    """

    here: Path
    width: int = 80
    verbose: bool = False
    style: Style = unstyled


def group_text(
    outcomes: Sequence[Outcome],
    notes: Iterable[str] = (),
    *,
    look: Look,
    earlier: Iterable[Outcome] = (),
) -> str:
    """Return the text of one class in one case on one backend: failures first, then the others.

    Args:
        outcomes: Its outcomes.
        notes: Notes on automatic decisions.
        look: How it looks.
        earlier: Outcomes already shown; what another backend found, too, is not repeated.
    """
    first = outcomes[0]
    lines = [look.style(printable(first.subject), bold=True) + f" on {first.backend}"]
    if first.case:
        lines += _labelled("with", printable(first.case), look)
    for note in notes:
        lines += _labelled("note", sentence(printable(note)), look)
    told = {_found(outcome): outcome.backend for outcome in earlier}
    failures = [
        _failed(outcome, look, told.get(_found(outcome), ""))
        for outcome in outcomes
        if outcome.status == "failed"
    ]
    lines += [line for failure in failures for line in failure]
    lines += [""] * any(len(failure) > 1 for failure in failures)
    return "\n".join([*lines, *_others(outcomes, look), ""])


def described(outcome: Outcome) -> str:
    """Return one outcome with its findings, as plain text."""
    label = f"{outcome.subject} on {outcome.backend}"
    if outcome.status != "failed":
        return f"{label}: {outcome.check}: {outcome.status} {outcome.reason}".rstrip()
    look = Look(Path.cwd(), 100)
    case = _labelled("with", printable(outcome.case), look) if outcome.case else []
    return "\n".join([label, *case, *_failed(outcome, look)])


def summary(outcomes: Sequence[Outcome], style: Style = unstyled) -> str:
    """Return a one-line summary, and where to read more."""
    findings = [o for o in outcomes if o.status == "failed" for _ in o.findings]
    classes = {o.subject for o in outcomes if ":" in o.subject}
    ran = sum(o.status in _RAN for o in outcomes)
    backends = _listed(list(dict.fromkeys(o.backend for o in outcomes)))
    what = f"{_count(len(classes), 'class')}, {_count(ran, 'check')} on {backends}"
    if not findings:
        return f"{style('No findings', fg='green', bold=True)}: {what}."
    found = style(_count(len(findings), "finding"), fg="red", bold=True)
    return f"{found}: {what}.\nLearn more: scaffold check --explain {findings[0].check}"


def _found(outcome: Outcome) -> tuple[object, ...]:
    """Return what it has found, whatever the backend."""
    return outcome.subject, outcome.case, outcome.check, outcome.reason, outcome.findings


def _failed(outcome: Outcome, look: Look, told_on: str = "") -> list[str]:
    page = page_of(outcome)
    if told_on:
        return _labelled("failed", f"{outcome.check}: same as on {told_on}", look, "red")
    heading = _labelled("failed", f"{outcome.check}: {page.title}", look, "red")
    heading[0] = heading[0].replace(outcome.check, look.style(outcome.check, bold=True), 1)
    lines = ["", *heading, *_findings(outcome.findings, look)]
    if page.why:
        lines += _detail("why", opening(page.why), look, "cyan")
    return [*lines, *_detail("fix", page.fix, look, "cyan")]


def _findings(findings: Sequence[Finding], look: Look) -> Iterator[str]:
    most = len(findings) if look.verbose else _MOST
    at = None
    for finding in findings[:most]:
        if finding.where and finding.where != at:
            at = finding.where
            yield " " * (_LABEL + 2) + look.style(place(at, look.here), underline=True)
        yield from _detail("expected", printable(finding.expected), look)
        yield from _detail("got", printable(finding.got), look)
    if len(findings) > most:
        yield from _detail("", f"and {len(findings) - most} more (--verbose shows all)", look)


def _others(outcomes: Sequence[Outcome], look: Look) -> Iterator[str]:
    """Yield how all the others ended."""
    ended = {
        status: [outcome for outcome in outcomes if outcome.status == status]
        for status in ("expected", "blocked", "not_run_here", "not_applicable", "passed")
    }
    for outcome in ended["expected"]:
        text = f"{outcome.check} fails: {printable(outcome.reason)}"
        yield from _labelled("expected", text, look, "yellow")
    if look.verbose:
        for outcome in ended["blocked"] + ended["not_run_here"] + ended["not_applicable"]:
            text = f"{outcome.check}: {printable(outcome.reason)}"
            yield from _labelled("not run", text, look, "yellow")
        for outcome in ended["passed"]:
            text = f"{outcome.check} ({outcome.seconds:.2f} s)"
            yield from _labelled("passed", text, look, "green")
        return
    for reason, names in _by_reason([*ended["not_run_here"], *_traced(ended["blocked"])]).items():
        several = ", ".join(names) if len(names) <= _MOST else _count(len(names), "check")
        yield from _labelled("not run", f"{several}: {reason}", look, "yellow")
    if ended["not_applicable"]:
        other = _count(len(ended["not_applicable"]), "check")
        text = f"{other}: not applicable (--verbose shows why)"
        yield from _labelled("not run", text, look)
    if ended["passed"]:
        yield from _labelled("passed", _count(len(ended["passed"]), "check"), look, "green")


def _traced(blocked: Sequence[Outcome]) -> Iterator[Outcome]:
    """Yield the blocked outcomes, each with the check that failed as its reason."""
    reasons = {f"needs {outcome.check}": outcome.reason for outcome in blocked}
    for outcome in blocked:
        reason = outcome.reason
        while reason in reasons:
            reason = reasons[reason]
        yield replace(outcome, reason=reason)


def _by_reason(outcomes: Iterable[Outcome]) -> dict[str, list[str]]:
    """Return the checks that ended for each reason, the most frequent reason first."""
    found: dict[str, list[str]] = {}
    for outcome in outcomes:
        found.setdefault(printable(outcome.reason), []).append(outcome.check)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def _detail(label: str, text: str, look: Look, color: str | None = None) -> list[str]:
    """Return the lines of a detail of a failure, its label aligned with the others."""
    return _labelled(f"{' ' * _LABEL}  {label:<8}", text, look, color)


def _labelled(label: str, text: str, look: Look, color: str | None = None) -> list[str]:
    """Return `text` in lines, to the right of its label in a separate column."""
    padded = label.rjust(_LABEL)
    indent = " " * (len(padded) + 2)
    wrapped = textwrap.wrap(
        text, look.width - len(indent), break_long_words=False, break_on_hyphens=False
    )
    first, *rest = wrapped or [""]
    return [f"{look.style(padded, fg=color)}  {first}", *(indent + line for line in rest)]


def _count(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun}{'es' if noun.endswith('s') else 's'}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
