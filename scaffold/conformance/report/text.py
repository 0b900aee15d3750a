"""Outcomes as text for a person, a block for each class, case and backend."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from scaffold.conformance.finding import Finding, Outcome
from scaffold.conformance.report.view import (
    first_sentence,
    page_of,
    place,
    printable,
    sentence,
)

_LABEL = 9
_RAN = ("passed", "failed", "expected")


@dataclass(frozen=True)
class Look:
    """How the text looks.

    Args:
        here: The folder that paths are relative to, where they lie below it.
        width: The longest line, in characters.
        verbose: Whether the checks that passed, and those that were not run, are listed.
    """

    here: Path
    width: int = 80
    verbose: bool = False


def group_text(
    outcomes: Sequence[Outcome],
    notes: Iterable[str] = (),
    *,
    look: Look,
    earlier: Iterable[Outcome] = (),
) -> str:
    """One class in one case on one backend: what failed first, then how the others ended.

    Args:
        outcomes: Its outcomes.
        notes: What was decided for it that was not asked for.
        look: How it looks.
        earlier: Outcomes already shown; what another backend found is not told twice.
    """
    first = outcomes[0]
    lines = [click.style(printable(first.subject), bold=True) + f" on {first.backend}"]
    if first.case:
        lines += _labelled("with", printable(first.case), look.width)
    for note in notes:
        lines += _labelled("note", sentence(printable(note)), look.width)
    told = {(o.subject, o.case, o.check, o.reason, o.findings): o.backend for o in earlier}
    for outcome in outcomes:
        if outcome.status == "failed":
            key = (outcome.subject, outcome.case, outcome.check, outcome.reason, outcome.findings)
            lines += _failed(outcome, look, told.get(key, ""))
    lines += _others(outcomes, look)
    return "\n".join([*lines, ""])


def described(outcome: Outcome) -> str:
    """One outcome with its findings, for a message without colours."""
    label = f"{outcome.subject} on {outcome.backend}"
    if outcome.status != "failed":
        return f"{label}: {outcome.check}: {outcome.status} {outcome.reason}".rstrip()
    lines = _failed(outcome, Look(Path.cwd(), 100))
    return click.unstyle("\n".join([label, *lines]))


def summary(outcomes: Sequence[Outcome]) -> str:
    """What came of it all, one line, and where to read on."""
    findings = [o for o in outcomes if o.status == "failed" for _ in o.findings]
    classes = {o.subject for o in outcomes if o.check != "imports"}
    ran = sum(o.status in _RAN for o in outcomes)
    backends = _listed(list(dict.fromkeys(o.backend for o in outcomes)))
    what = f"{_count(len(classes), 'class')}, {_count(ran, 'check')} on {backends}"
    if not findings:
        return f"{click.style('Nothing found', fg='green', bold=True)}: {what}.\n"
    found = click.style(_count(len(findings), "finding"), fg="red", bold=True)
    pages = [o.check for o in findings if page_of(o).check]
    more = f"More on a check: scaffold check --explain {pages[0]}\n" if pages else ""
    return f"{found}: {what}.\n{more}"


def _failed(outcome: Outcome, look: Look, told_on: str = "") -> list[str]:
    page = page_of(outcome)
    name = click.style(outcome.check, bold=True)
    if told_on:
        return _labelled("failed", f"{outcome.check}: as on {told_on}", look.width, "red")
    heading = _labelled("failed", f"{outcome.check}: {page.title}", look.width, "red")
    heading[0] = heading[0].replace(outcome.check, name, 1)
    lines = ["", *heading]
    for finding in outcome.findings:
        lines += _finding(finding, look)
    if page.why:
        why = first_sentence(page.why.partition("\n\n")[0])
        lines += _labelled("why", why, look.width, "cyan", _LABEL + 6)
    lines += _labelled("mend", page.mend, look.width, "cyan", _LABEL + 6)
    return [*lines, ""]


def _finding(finding: Finding, look: Look) -> list[str]:
    indent = " " * (_LABEL + 2)
    where = finding.where and place(finding.where, look.here)
    lines = [indent + click.style(where, underline=True)] if where else []
    for label, text in (("expected", finding.expected), ("got", finding.got)):
        lines += _labelled(label, printable(text), look.width, None, _LABEL + 10, left=True)
    return lines


def _others(outcomes: Sequence[Outcome], look: Look) -> Iterator[str]:
    """How all ended that did not fail."""
    for outcome in outcomes:
        if outcome.status == "expected":
            text = f"to fail, {outcome.check}: {printable(outcome.reason)}"
            yield from _labelled("expected", text, look.width, "yellow")
    for outcome in outcomes:
        if outcome.status == "blocked":
            text = f"{outcome.check}: {printable(outcome.reason)}"
            yield from _labelled("not run", text, look.width, "yellow")
    not_applicable = [o for o in outcomes if o.status == "not_applicable"]
    passed = [o for o in outcomes if o.status == "passed"]
    if look.verbose:
        for outcome in not_applicable:
            text = f"{outcome.check}: {printable(outcome.reason)}"
            yield from _labelled("not run", text, look.width)
        for outcome in passed:
            text = f"{outcome.check} ({outcome.seconds:.2f} s)"
            yield from _labelled("passed", text, look.width, "green")
        return
    if not_applicable:
        reasons = Counter(printable(o.reason) for o in not_applicable).most_common()
        why = "; ".join(f"{reason} ({times})" for reason, times in reasons)
        yield from _labelled("not run", f"{len(not_applicable)}: {why}", look.width)
    if passed:
        yield from _labelled("passed", _count(len(passed), "check"), look.width, "green")


def _labelled(
    label: str,
    text: str,
    width: int,
    color: str | None = None,
    column: int = _LABEL,
    left: bool = False,
) -> list[str]:
    """`text` in lines, to the right of its label in a column of its own."""
    indent = " " * (column + 2)
    wrapped = textwrap.wrap(
        text, width - len(indent), break_long_words=False, break_on_hyphens=False
    )
    first, *rest = wrapped or [""]
    padded = label.ljust(8).rjust(column) if left else label.rjust(column)
    return [f"{click.style(padded, fg=color)}  {first}", *(indent + line for line in rest)]


def _count(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun}{'es' if noun.endswith('s') else 's'}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
