"""Counts which of Keras's own tests each generated class passes, by the rules in `rules.toml`."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RULES = Path(__file__).parent / "rules.toml"


@dataclass(frozen=True)
class Counts:
    """The outcomes of Keras's tests on one backend.

    Args:
        passed: The number of tests that each class passes.
        of: The number of tests that count for each class.
        left_out: The number of tests that do not count, by reason.
        failed: The tests that count and failed, with the error.
        of_all: The number of tests that count, and that pass, for all classes.
    """

    passed: Counter[str] = field(default_factory=Counter)
    of: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)
    of_all: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """The share of the counted tests that pass."""
        return self.of_all["passed"] / max(self.of_all["counted"], 1)


def load_rules() -> dict[str, Any]:
    """Load the rules."""
    return tomllib.loads(RULES.read_text("utf-8"))


def count(found: Mapping[str, Any], rules: Mapping[str, Any]) -> Counts:
    """Count the outcomes that `substitution` recorded on a backend.

    A test counts for each class that it creates. It is ignored if it creates none or is skipped.
    """
    counts = Counts()
    for test, result in found["tests"].items():
        if result["outcome"] == "skipped" or not result["classes"]:
            continue
        reason = next(_reasons(test, result, rules, found["docstrings"]), None)
        if reason is not None:
            counts.left_out[reason] += 1
            continue
        passed = result["outcome"] == "passed"
        counts.of_all["counted"] += 1
        counts.of_all["passed"] += passed
        counts.of.update(result["classes"])
        if passed:
            counts.passed.update(result["classes"])
        else:
            counts.failed[test] = result["error"]
    return counts


def _reasons(
    test: str, result: Mapping[str, Any], rules: Mapping[str, Any], docstrings: Mapping[str, str]
) -> Iterator[str]:
    """Yield reasons why a test does not count."""
    for rule in rules["name"]:
        if re.search(rule["pattern"], test.partition("::")[2], re.IGNORECASE):
            yield rule["reason"]
    for rule in rules["exception"]:
        if re.fullmatch(rule["test"], test):
            yield rule["reason"]
    for rule in rules["error"] if result["outcome"] == "failed" else ():
        match = re.search(rule["pattern"], result["error"])
        if match and _is_named(match.groupdict(), docstrings):
            yield rule["reason"]


def _is_named(groups: Mapping[str, str], docstrings: Mapping[str, str]) -> bool:
    """Return whether the docstring names the argument, if the pattern matched one."""
    return not groups or f"`{groups['argument']}`" in docstrings[groups["class"]]
