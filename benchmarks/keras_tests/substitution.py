"""A pytest plugin: Keras's own tests get our drop-ins in place of its layers.

It runs in a process of one backend, which writes the outcome of each test to the file in
`KERAS_TESTS_RESULTS`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from goldens import GOLDENS
from proofs import DropIn, proofs

RESULTS = "KERAS_TESTS_RESULTS"
made: set[str] = set()
tests: dict[str, dict[str, Any]] = {}
docstrings: dict[str, str] = {}
replaced: list[tuple[Any, str, type]] = []


def our_class(one: DropIn) -> type:
    """Return the generated class of a drop-in."""
    folder = GOLDENS / one.golden
    sys.path.insert(0, str(folder))
    (test,) = folder.glob("test_*.py")
    found: type = getattr(importlib.import_module(test.stem.removeprefix("test_")), one.name)
    return found


def pytest_configure() -> None:
    """Replace the classes that Keras's tests import, and record which of them a test creates.

    `keras.layers` itself is unchanged, since the generated classes use it.
    """
    import keras
    from keras.src import layers, testing

    for one in (one for proof in proofs("layer").values() for one in proof.drop_ins):
        ours, builtin = our_class(one), getattr(keras.layers, one.builtin)
        docstrings[one.name] = ours.__doc__ or ""
        setattr(layers, builtin.__name__, ours)
        # Some tests import a layer from its own module, which Keras itself needs unchanged.
        home = sys.modules[builtin.__module__]
        replaced.append((home, builtin.__name__, builtin))
        setattr(home, builtin.__name__, ours)
    _note_what_is_made(keras.layers.Layer)
    _take_any_wording(testing.TestCase)
    _leave_building_open(testing.TestCase)


def _note_what_is_made(layer: Any) -> None:
    make = layer.__new__

    def noted(cls: type, *args: Any, **kwargs: Any) -> Any:
        made.update(base.__name__ for base in cls.__mro__ if base.__name__ in docstrings)
        return make(cls, *args, **kwargs)

    layer.__new__ = noted


def _take_any_wording(case: Any) -> None:
    """Compare errors by type only, since our messages differ."""

    def refuses(self: Any, error: Any, text: Any, *call: Any, **kwargs: Any) -> Any:
        del text
        return self.assertRaises(error, *call, **kwargs)  # noqa: PT027 - Keras's tests use unittest

    case.assertRaisesRegex = refuses


def _leave_building_open(case: Any) -> None:
    """Don't require layers to be built by the constructor: ours are built by `build`."""
    run: Callable[..., None] = case.run_layer_test

    def run_layer_test(self: Any, *args: Any, **kwargs: Any) -> None:
        run(self, *args, **{**kwargs, "assert_built_after_instantiation": False})

    case.run_layer_test = run_layer_test


def pytest_collection_finish() -> None:
    """Restore the classes in Keras's own modules after the tests are imported."""
    for module, name, builtin in replaced:
        setattr(module, name, builtin)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, Any, Any]:
    """Clear the created classes before a test."""
    made.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Record the outcome of a test."""
    report = yield
    if call.when == "call" or report.outcome != "passed":
        error = call.excinfo
        tests[f"{item.path.stem}::{item.name}"] = {
            "outcome": report.outcome,
            "classes": sorted(made),
            "error": f"{error.typename}: {error.value}" if error else "",
        }
    return report


def pytest_sessionfinish() -> None:
    """Write the outcomes of the tests."""
    found = {"tests": tests, "docstrings": docstrings}
    Path(os.environ[RESULTS]).write_text(json.dumps(found), "utf-8")
