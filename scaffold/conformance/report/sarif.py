"""Outcomes as SARIF 2.1.0, which code hosts show next to the lines of a change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from scaffold.conformance.finding import Finding, Outcome, Where, failed
from scaffold.conformance.registry import Check, find
from scaffold.conformance.report.page import body, family
from scaffold.conformance.report.view import page_of, path_of, printable, sentence
from scaffold.version import __version__

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def sarif(outcomes: Sequence[Outcome], notes: Iterable[str], here: Path) -> dict[str, Any]:
    """Return a whole run: a rule for each check that ran, a result for each finding.

    The same finding on several backends is one result.

    Args:
        outcomes: How the checks ended.
        notes: Notes on automatic decisions.
        here: The folder that paths are relative to, usually the root of the repository.
    """
    ids = list(dict.fromkeys(outcome.check for outcome in outcomes))
    driver = {
        "name": "scaffold",
        "semanticVersion": __version__,
        "rules": [_rule(find(id_)) for id_ in ids],
    }
    invocation = {
        "executionSuccessful": True,
        "toolExecutionNotifications": [
            {"level": "note", "message": {"text": printable(note)}} for note in notes
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": _results(outcomes, ids, here),
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "name": check.id.title().replace("-", ""),
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.why},
        "help": {"text": sentence(check.fix), "markdown": body(check)},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": [family(check)]},
    }


def _results(outcomes: Iterable[Outcome], rules: Sequence[str], here: Path) -> list[dict[str, Any]]:
    found: dict[tuple[str, str, str, Finding], list[Outcome]] = {}
    for outcome in failed(outcomes):
        for finding in outcome.findings:
            key = (outcome.subject, outcome.case, outcome.check, finding)
            found.setdefault(key, []).append(outcome)
    times: dict[str, int] = {}
    results = []
    for (*_, finding), same in found.items():
        print_ = _fingerprint(same[0], finding)
        times[print_] = times.get(print_, 0) + 1
        result = _result(same, finding, rules, here)
        result["partialFingerprints"] = {"scaffoldCheck/v1": f"{print_}:{times[print_]}"}
        results.append(result)
    return results


def _result(
    same: Sequence[Outcome], finding: Finding, rules: Sequence[str], here: Path
) -> dict[str, Any]:
    outcome = same[0]
    backends = list(dict.fromkeys(other.backend for other in same))
    text = f"{outcome.subject}: expected {finding.expected}, got {finding.got}"
    fix = page_of(outcome).fix
    return {
        "ruleId": outcome.check,
        "ruleIndex": rules.index(outcome.check),
        "level": "error",
        "message": {"text": f"{printable(text)} (on {', '.join(backends)}). {fix}"},
        "locations": [_location(finding.where, here)] if finding.where else [],
        "properties": {"subject": outcome.subject, "case": outcome.case, "backends": backends},
    }


def _location(where: Where, here: Path) -> dict[str, Any]:
    path = PurePath(path_of(where, here))
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": {"startLine": where.line},
        }
    }


def _fingerprint(outcome: Outcome, finding: Finding) -> str:
    """Return what stays the same when lines move and numbers change."""
    parts = (outcome.check, outcome.subject, outcome.case, finding.expected)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
