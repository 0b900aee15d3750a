"""Outcomes as text for a person."""

from __future__ import annotations

from scaffold.conformance.finding import Outcome


def described(outcome: Outcome) -> str:
    """One outcome with its findings."""
    lines = [f"{outcome.check}: {outcome.status} {outcome.reason}".rstrip()]
    for finding in outcome.findings:
        lines.append(f"  expected {finding.expected}, got {finding.got} ({finding.where})")
    return "\n".join(lines)
