"""Outputs that differ are a finding only if the layer's own never do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scaffold.conformance.instruments.state import changed


class Answers:
    """Stands in for a Subject: gives one answer after the other, then repeats the last."""

    def __init__(self, *answers: float) -> None:
        self.answers = [*answers]

    def outputs(self, layer: Any, data: Any = None) -> list[Any]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [np.full((2, 3), answer, "float32")]


def told(subject: Any, after: float) -> str:
    before, other = ([np.full((2, 3), value, "float32")] for value in (1.0, after))
    return changed(subject, None, before, other)


@pytest.mark.parametrize("subject", [Answers(1.0), Answers(2.0)])
def test_equal_outputs_are_never_a_change(subject: Answers) -> None:
    assert told(subject, 1.0) == ""


def test_a_difference_is_reported_if_the_layer_repeats_itself() -> None:
    assert told(Answers(1.0), 3.0) == "values that differ by up to 2"


@pytest.mark.parametrize("equal", range(4))
def test_a_layer_that_differs_from_itself_later_is_excused(equal: int) -> None:
    assert told(Answers(*[1.0] * equal, 2.0), 3.0) == ""
