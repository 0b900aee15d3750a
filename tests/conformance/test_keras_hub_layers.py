"""In KerasHub's modeling layers, the checks find only defects of KerasHub."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.keras_hub_cases import CASES, WITHOUT
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


def test_every_modelling_layer_has_a_case_or_a_reason() -> None:
    modelling = {
        name
        for name, module, _ in public_layers("keras_hub")
        if module.startswith(("keras_hub.src.layers.modeling.", "keras.src."))
    }
    assert modelling == {*CASES, *WITHOUT}
    assert not set(CASES) & set(WITHOUT)


def test_waivers_name_classes() -> None:
    assert_waivers_name_classes("keras_hub", set(CASES))


@pytest.mark.proof(*CHECKS)
def test_only_defects_of_keras_hub_are_found(backend: str, name: str) -> None:
    assert_only_known_findings("keras_hub", name, backend)
