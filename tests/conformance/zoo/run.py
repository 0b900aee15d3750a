"""`python -m conformance.zoo.run RESULTS [NAME ...]`: the whole zoo in one process, on one backend.

`RESULTS` becomes a JSON file with what each check found in each class, and, with `--keras`, what
Keras's own test helper for layers found. With `--own`, a class with a defect gets only the check
that must find it, and those that this check needs.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conformance.zoo.entry import Entry, entries

TESTS = Path(__file__).parents[2]


def main(words: Sequence[str]) -> None:
    """Check the named classes, or all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--own", action="store_true")
    parser.add_argument("--keras", action="store_true")
    given = parser.parse_args(words)
    backend = os.environ["KERAS_BACKEND"]
    chosen = [
        entry
        for entry in entries()
        if backend in entry.backends and (not given.names or entry.name in given.names)
    ]
    from scaffold.conformance.process.fresh import FreshProcess

    with FreshProcess(backend, [str(TESTS)]) as fresh:
        results = {entry.name: _result(entry, fresh, given) for entry in chosen}
    given.results.write_text(json.dumps(results, indent=1), encoding="utf-8")


def _result(entry: Entry, fresh: Any, given: argparse.Namespace) -> dict[str, Any]:
    cls = getattr(importlib.import_module(entry.module), entry.name)
    started = time.perf_counter()
    findings, statuses = _checked(entry, cls, fresh, given.own)
    result = {
        "findings": findings,
        "statuses": statuses,
        "seconds": round(time.perf_counter() - started, 2),
    }
    print(entry.name, *findings, file=sys.stderr, flush=True)
    if given.keras:
        result["keras"], result["keras_said"] = run_layer_test(entry, cls)
    return result


def _checked(
    entry: Entry, cls: Any, fresh: Any, own: bool
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return what was found, by check, and how each check ended."""
    from scaffold.cases import case_from
    from scaffold.conformance.registry import checks, find, with_needed
    from scaffold.conformance.runner import run
    from scaffold.conformance.subject import Subject

    subject = Subject(cls, case_from(entry.case), fresh)
    chosen = with_needed([find(entry.check)]) if own and entry.check else checks()
    outcomes = list(run(subject, chosen))
    findings = {
        outcome.check: [f"expected {f.expected}, got {f.got}" for f in outcome.findings]
        for outcome in outcomes
        if outcome.status == "failed"
    }
    return findings, {outcome.check: outcome.status for outcome in outcomes}


def run_layer_test(entry: Entry, cls: Any) -> tuple[str, str]:
    """Return whether Keras's own `run_layer_test` finds fault with a class, and its message.

    Returns:
        `found` with the error, `missed`, or `n.a.` for inputs that it can't pass to a layer.
    """
    import keras
    from keras.src.testing.test_case import TestCase

    from scaffold.cases import case_from, map_inputs

    case = case_from(entry.case)
    if isinstance(case.inputs, dict):
        return "n.a.", "it passes a dict to `call` as keyword arguments"
    inputs = tuple(case.inputs) if isinstance(case.inputs, list) else case.inputs
    shapes = map_inputs(lambda described: described.shape, inputs)
    dtypes = map_inputs(lambda described: described.dtype, inputs)
    helper: Any = TestCase()
    helper.setUp()
    keras.utils.set_random_seed(0)
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        try:
            helper.run_layer_test(cls, _arguments(case), input_shape=shapes, input_dtype=dtypes)
        except Exception as error:  # What a test in Keras would have failed with.
            lines = str(error).strip().splitlines()
            return "found", f"{type(error).__name__}: {lines[0] if lines else ''}"[:200]
        finally:
            helper.doCleanups()
    return "missed", ""


def _arguments(case: Any) -> dict[str, Any]:
    from scaffold.conformance.subject import fresh_arguments

    return dict(fresh_arguments(case.args))


if __name__ == "__main__":
    main(sys.argv[1:])
