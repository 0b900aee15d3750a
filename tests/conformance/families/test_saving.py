"""Weights that don't come back, beyond the examples of the pages, and some that do."""

# Keras has no types.
# mypy: disable-error-code="misc, no-any-return, no-untyped-call"

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import keras
import pytest
from keras import ops

from conformance.one_check import outcome
from scaffold.cases import Case, Input
from scaffold.conformance.finding import Finding
from scaffold.conformance.process.fresh import FreshProcess
from scaffold.conformance.registry import find
from scaffold.conformance.runner import run
from scaffold.conformance.subject import Subject


@keras.saving.register_keras_serializable(package="test_saving")
class LeftInConstructor(keras.layers.Layer):
    """Creates its part in the constructor and has no `build`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(8)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


@keras.saving.register_keras_serializable(package="test_saving")
class OnlySaysBuilt(keras.layers.Layer):
    """Its `build` doesn't build its Sequential."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stack = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(8)])

    def build(self, input_shape: Any) -> None:
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self.stack(inputs)


@keras.saving.register_keras_serializable(package="test_saving")
class OneOfTwo(keras.layers.Layer):
    """Builds one of two parts."""

    def build(self, input_shape: Any) -> None:
        self.one = keras.layers.Dense(8)
        self.two = keras.layers.Dense(8)
        self.one.build(input_shape)

    def call(self, inputs: Any) -> Any:
        return self.two(self.one(inputs))


@keras.saving.register_keras_serializable(package="test_saving")
class LeftInModel(keras.Model):
    """A model whose `build` creates its part and doesn't build it."""

    def build(self, input_shape: Any) -> None:
        self.dense = keras.layers.Dense(4)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


@keras.saving.register_keras_serializable(package="test_saving")
class Whole(keras.layers.Layer):
    """Builds a list and a dict of parts, and has running state."""

    def build(self, input_shape: Any) -> None:
        self.parts = [keras.layers.Dense(8), keras.layers.BatchNormalization()]
        self.more = {"gate": keras.layers.Dense(8, "sigmoid")}
        for part in (*self.parts, *self.more.values()):
            part.build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        hidden = self.parts[1](self.parts[0](inputs), training=training)
        return hidden * self.more["gate"](inputs)


@keras.saving.register_keras_serializable(package="test_saving")
class WholeModel(keras.Model):
    """A model that Keras builds by a call."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(4)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


@keras.saving.register_keras_serializable(package="test_saving")
class Joined(keras.layers.Layer):
    """Takes a dict and another tensor."""

    def build(self, inputs_shape: Any, context_shape: Any) -> None:
        self.dense = keras.layers.Dense(4)
        self.dense.build((*context_shape[:-1], 8 + 3 + 5))

    def call(self, inputs: Any, context: Any) -> Any:
        return self.dense(ops.concatenate([inputs["a"], inputs["b"], context], axis=-1))


@keras.saving.register_keras_serializable(package="test_saving")
class Encoded(keras.layers.Layer):
    """Writes its weight in its own form, and reads it back."""

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(shape=input_shape[-1:], initializer="ones")

    def call(self, inputs: Any) -> Any:
        return inputs * self.scale

    def save_own_variables(self, store: Any) -> None:
        store["half"] = ops.convert_to_numpy(self.scale) / 2

    def load_own_variables(self, store: Any) -> None:
        self.scale.assign(store["half"][:] * 2)


@keras.saving.register_keras_serializable(package="test_saving")
class Forgetful(Encoded):
    """Writes its weight and doesn't read it."""

    def load_own_variables(self, store: Any) -> None:
        pass


@keras.saving.register_keras_serializable(package="test_saving")
class Hidden(keras.layers.Layer):
    """A property shows Keras a layer whose weights don't belong to it."""

    def build(self, input_shape: Any) -> None:
        self.dense = keras.layers.Dense(8)
        self.dense.build(input_shape)
        other = keras.layers.Dense(8)
        other.build(input_shape)
        object.__setattr__(self, "hidden", lambda: other)

    @property
    def other(self) -> Any:
        return self.hidden()

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


@pytest.mark.parametrize("cls", [LeftInConstructor, OnlySaysBuilt, OneOfTwo, LeftInModel])
def test_random_weights_after_loading(cls: Any) -> None:
    found = outcome(cls, "weights-come-back")
    assert found.status == "failed"
    assert "load_model" in found.findings[0].got


@pytest.mark.parametrize("cls", [Whole, WholeModel, Encoded])
@pytest.mark.parametrize("check_id", ["weights-file-complete", "weights-come-back"])
def test_complete_files_pass(cls: Any, check_id: str) -> None:
    assert outcome(cls, check_id).status == "passed"


def test_several_arguments() -> None:
    inputs, call = {"a": (2, 8), "b": (2, 3)}, {"context": (2, 5)}
    assert outcome(Joined, "weights-come-back", input=inputs, call=call).status == "passed"


def test_a_weight_that_is_written_and_not_read() -> None:
    found = outcome(Forgetful, "weights-file-complete")
    assert [finding.got for finding in found.findings] == [
        "1 of 1 with different values after `load_weights`"
    ]


def test_arrays_in_the_file_that_are_not_weights() -> None:
    found = outcome(Hidden, "weights-file-complete")
    assert len(found.findings) == 2
    assert all("not a weight of the layer" in finding.got for finding in found.findings)


def test_initial_zeros_hide_nothing() -> None:
    assert outcome(keras.layers.Dense, "weights-come-back", args={"units": 3}).status == "passed"


def _loaded(subject: Subject) -> list[Finding]:
    (found,) = run(subject, [find("loads-in-fresh-process")])
    assert found.status in ("passed", "failed"), found.reason
    return list(found.findings)


@pytest.fixture(scope="module")
def fresh() -> Iterator[FreshProcess]:
    with FreshProcess(keras.backend.backend(), sys.path) as process:
        yield process


@pytest.mark.parametrize(
    ("cls", "args", "inputs", "call"),
    [
        (Joined, {}, {"a": Input((2, 8)), "b": Input((2, 3))}, {"context": Input((2, 5))}),
        (keras.layers.LSTM, {"units": 3}, Input((2, 6, 4), mask=True), {}),
        (keras.layers.LSTM, {"units": 3, "return_state": True}, Input((2, 6, 4)), {}),
        (keras.layers.Concatenate, {}, [Input((2, 4)), Input((2, 5))], {}),
        (WholeModel, {}, Input((2, 4)), {}),
    ],
)
def test_every_structure_travels(
    fresh: FreshProcess, cls: Any, args: Any, inputs: Any, call: Any
) -> None:
    subject = Subject(cls, Case(args, inputs, call), fresh)
    assert _loaded(subject) == []


def test_the_process_survives_a_failure(fresh: FreshProcess) -> None:
    @keras.saving.register_keras_serializable(package="test_saving")
    class Local(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs * 2

    Local.__qualname__ = "Local"
    (finding,) = _loaded(Subject(Local, Case(inputs=Input((2, 4))), fresh))
    assert finding.got.startswith("TypeError: Could not locate class 'Local'")
    assert _loaded(Subject(Encoded, Case(inputs=Input((2, 4))), fresh)) == []


def test_a_process_that_is_gone() -> None:
    process = FreshProcess(keras.backend.backend(), sys.path)
    process.close()
    process.folder.mkdir()
    subject = Subject(Encoded, Case(inputs=Input((2, 4))), process)
    (finding,) = _loaded(subject)
    assert finding.got.startswith("the process ended with ")
