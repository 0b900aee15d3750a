"""What is tested of a table of cases: that it is whole, and what the checks find on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable

import pytest

from conformance.known_defects import BACKENDS, KNOWN, known
from conformance.swept import Sweep
from scaffold.conformance.finding import failed

# What this processor can't compute, and the checks that build on it.
NOT_RUN = ("not_run_here", "blocked")
# What the proofs of checks depend on beside the classes that are checked.
CHECKS = (
    "scaffold/cases.py",
    "scaffold/modules.py",
    "scaffold/processes.py",
    "scaffold/conformance",
    "scaffold/keras_source",
    "tests/conformance/[!t]*.py",
    "tests/conformance/table.py",
    "tests/conformance/zoo",
)
_PUBLIC = """
import keras, {library}
for name, cls in vars({library}.layers).items():
    if isinstance(cls, type) and issubclass(cls, keras.layers.Layer):
        print(name, cls.__module__, cls.__qualname__)
"""


def public_layers(library: str) -> list[tuple[str, str, str]]:
    """The public name, the module and the class of each layer of a library, aliases too."""
    done = subprocess.run(
        [sys.executable, "-c", _PUBLIC.format(library=library)],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    return [(name, module, cls) for name, module, cls in lines]


def on_backends(metafunc: pytest.Metafunc, names: Iterable[str]) -> None:
    """Have a test of classes run on one backend each, in turn; on all with `--every-backend`.

    What is found of a class changes only with a check or with the library: `make sweep` then.
    """
    if {"backend", "name"} <= set(metafunc.fixturenames):
        every = metafunc.config.getoption("--every-backend")
        places = [
            (backend, name)
            for turn, backend in enumerate(BACKENDS)
            for number, name in enumerate(names)
            if every or number % len(BACKENDS) == turn
        ]
        metafunc.parametrize(("backend", "name"), places)


def assert_only_known_findings(library: str, name: str, backend: str) -> None:
    """The checks find on this class what is written up, as far as they run here."""
    outcomes = Sweep.of(library, backend).outcomes(name)
    found = failed(outcomes)
    expected = known(f"{library}.{name}", backend)
    assert [outcome for outcome in found if outcome.check not in expected] == []
    not_run = {outcome.check for outcome in outcomes if outcome.status in NOT_RUN}
    missing = set(expected) - {outcome.check for outcome in found} - not_run
    assert missing == set(), "fixed: waive it no more"


def assert_waivers_name_classes(library: str, names: set[str]) -> None:
    """No waiver of a class that is in no table."""
    waived = {name for name, _, _ in KNOWN if name.startswith(f"{library}.")}
    assert waived <= {f"{library}.{name}" for name in names}
