"""In Keras's own layers, the checks find only defects of Keras."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.keras_cases import CASES, WITHOUT
from conformance.swept import Sweep
from conformance.table import (
    CHECKS,
    assert_only_known_findings,
    assert_waivers_name_classes,
    on_backends,
    public_layers,
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_backends(metafunc, CASES)


@pytest.fixture(scope="module", autouse=True)
def sweep_that_ends() -> Iterator[None]:
    yield
    Sweep.end()


def test_every_public_layer_has_a_case_or_a_reason() -> None:
    aliases: dict[tuple[str, str], set[str]] = {}
    for name, module, cls in public_layers("keras"):
        aliases.setdefault((module, cls), set()).add(name)
    told = {*CASES, *WITHOUT}
    assert [names for names in aliases.values() if len(names & told) != 1] == []
    assert told <= set.union(*aliases.values())
    assert [name for name, cases in CASES.items() if not cases] == []


def test_waivers_name_classes() -> None:
    assert_waivers_name_classes("keras", set(CASES))


@pytest.mark.proof(*CHECKS)
def test_only_defects_of_keras_are_found(backend: str, name: str) -> None:
    assert_only_known_findings("keras", name, backend)
