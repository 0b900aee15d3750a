"""The gradients of every generated class against finite differences, in float64.

Run for each backend by tests/templates/layer/test_gradients.py; JAX is told to have float64.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from compared_gradients import compared
from goldens import GOLDENS
from scaffold.cases import Case
from scaffold.conformance.finding_cases import cases_of
from scaffold.conformance.instruments.gradients import gradients
from scaffold.conformance.subject import Subject

PLACES = 2
# Some operations compute in float32 whatever they are given: on Torch `ops.matmul` does, on JAX
# `ops.layer_normalization`. There the step has to be wide, and the difference is rough.
PRECISE, ROUGH = (1e-6, 1e-4), (1e-2, 5e-2)


def generated(golden: str) -> list[tuple[Any, Case]]:
    """The classes of a golden, each in its first case."""
    folder = GOLDENS / golden
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    (test,) = folder.glob("test_*.py")
    module = importlib.import_module(test.stem.removeprefix("test_"))
    own = [value for value in vars(module).values() if isinstance(value, type)]
    classes = [cls for cls in own if cls.__module__ == module.__name__]
    return [(cls, next(cases_of(cls, {}, folder))[0]) for cls in classes]


class Loss:
    """The outputs of a layer, each value with a weight of its own: a scalar."""

    def __init__(self, subject: Subject, training: bool) -> None:
        random = np.random.default_rng(0)
        self.training = training
        self.layer = subject.make(dtype="float64")
        self.data = subject.data()
        self.inputs = [
            keras.Variable(random.normal(size=array.shape), dtype="float64")
            for array in self.data.tensors()
            if array.dtype.kind == "f"
        ]
        self.state: list[tuple[Any, Any]] = []
        self()
        self.state = [(v, ops.convert_to_numpy(v)) for v in self.layer.non_trainable_variables]
        for weight in self.layer.trainable_weights:  # Away from zeros, which hide what they meet.
            weight.assign_add(0.2 * random.normal(size=weight.shape))
        self.variables = [*self.inputs, *self.layer.trainable_weights]
        self.value = float(ops.convert_to_numpy(self()))

    def __call__(self) -> Any:
        keras.utils.set_random_seed(0)  # Torch's own dropout draws by the global state.
        for variable, value in self.state:  # The same draws each time.
            variable.assign(value)
        inputs = iter(self.inputs)
        given = self.data.map(
            lambda array: ops.convert_to_tensor(next(inputs)) if array.dtype.kind == "f" else array
        )
        outputs = self.layer(given.inputs, **given.call, training=self.training)
        random = np.random.default_rng(1)
        weighted = [
            ops.sum(ops.multiply(one, random.normal(size=one.shape)))
            for one in keras.tree.flatten(outputs)
        ]
        return sum(weighted)

    def slopes(self, variable: Any, place: tuple[int, ...], step: float) -> tuple[float, float]:
        """The differences by one value of a variable, to its right and to its left."""
        values = ops.convert_to_numpy(variable).copy()
        found = []
        for change in (step, -step):
            moved = values.copy()
            moved[place] += change
            variable.assign(moved)
            found.append(float(ops.convert_to_numpy(self())))
        variable.assign(values)
        return (found[0] - self.value) / step, (self.value - found[1]) / step

    @property
    def is_precise(self) -> bool:
        """Whether it is computed in float64 all through: then two small steps see one slope."""
        return all(
            np.isclose(
                self.slope_along(variable, PRECISE[0]),
                self.slope_along(variable, 2 * PRECISE[0]),
                PRECISE[1],
                PRECISE[1] / 100,
            )
            for variable in self.variables
        )

    def slope_along(self, variable: Any, step: float) -> float:
        """The central difference along a direction in all values of a variable."""
        value = ops.convert_to_numpy(variable).copy()
        direction = np.random.default_rng(2).normal(size=value.shape)
        found = []
        for change in (step, -step):
            variable.assign(value + change * direction)
            found.append(float(ops.convert_to_numpy(self())))
        variable.assign(value)
        return (found[0] - found[1]) / (2 * step)


@pytest.mark.parametrize(("golden", "training"), compared(keras.backend.backend(), every=True))
def test_gradients(golden: str, training: bool) -> None:
    random = np.random.default_rng(0)
    for cls, case in generated(golden):
        loss = Loss(Subject(cls, case), training)
        state = [variable for variable, _ in loss.state]
        step, tolerance = PRECISE if loss.is_precise else ROUGH
        found = gradients(loss, loss.variables, state)
        assert loss.variables
        for variable, gradient in zip(loss.variables, found, strict=True):
            # No gradient stands for one of zeros, which the slopes are to be then.
            gradient = np.zeros(variable.shape) if gradient is None else gradient
            assert gradient.shape == variable.shape
            compared = 0
            for _ in range(10 * PLACES):
                if compared == PLACES:
                    break
                place = tuple(int(random.integers(size)) for size in variable.shape)
                right, left = loss.slopes(variable, place, step)
                if np.allclose(right, left, 2 * tolerance, 2 * tolerance):  # No kink is near.
                    np.testing.assert_allclose(
                        gradient[place], (right + left) / 2, tolerance, tolerance
                    )
                    compared += 1
            assert compared
