"""A plugin of pytest: Keras's own tests get our drop-ins in place of its layers.

It is loaded in a process of one backend, which writes what became of each test into the file that
`KERAS_TESTS_RESULTS` names.
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

TESTS = Path(__file__).parents[2] / "tests"
sys.path.insert(0, str(TESTS))

from proofs.proof import DropIn, proofs  # noqa: E402 - it is beside the tests

RESULTS = "KERAS_TESTS_RESULTS"
made: set[str] = set()
tests: dict[str, dict[str, Any]] = {}
docstrings: dict[str, str] = {}
replaced: list[tuple[Any, str, type]] = []


def our_class(one: DropIn) -> type:
    """The generated class of a drop-in."""
    folder = TESTS / "goldens" / one.golden
    sys.path.insert(0, str(folder))
    (test,) = folder.glob("test_*.py")
    found: type = getattr(importlib.import_module(test.stem.removeprefix("test_")), one.name)
    return found


def pytest_configure() -> None:
    """Put ours where Keras's tests look, and note which of them a test makes.

    `keras.layers` itself stays as it is: it is what a generated class is made of.
    """
    import keras
    from keras.src import layers, testing

    for one in (one for proof in proofs().values() for one in proof.drop_ins):
        ours, builtin = our_class(one), getattr(keras.layers, one.builtin)
        docstrings[one.name] = ours.__doc__ or ""
        setattr(layers, builtin.__name__, ours)
        # Some tests import a layer from its own module, which Keras itself needs as it is.
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
    """Take an error for the right one by its type: ours says it in other words."""

    def refuses(self: Any, error: Any, text: Any, *call: Any, **kwargs: Any) -> Any:
        del text
        return self.assertRaises(error, *call, **kwargs)  # noqa: PT027 - Keras's tests are such

    case.assertRaisesRegex = refuses


def _leave_building_open(case: Any) -> None:
    """Ask for no layer to be built by its constructor: ours are built by `build`."""
    run: Callable[..., None] = case.run_layer_test

    def run_layer_test(self: Any, *args: Any, **kwargs: Any) -> None:
        run(self, *args, **{**kwargs, "assert_built_after_instantiation": False})

    case.run_layer_test = run_layer_test


def pytest_collection_finish() -> None:
    """Give Keras's own modules their classes back, now that the tests are read."""
    for module, name, builtin in replaced:
        setattr(module, name, builtin)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, Any, Any]:
    """Begin a test with nothing made."""
    made.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Keep what became of a test."""
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
    """Write what became of the tests."""
    found = {"tests": tests, "docstrings": docstrings}
    Path(os.environ[RESULTS]).write_text(json.dumps(found), "utf-8")
