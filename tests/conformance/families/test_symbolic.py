"""Shapes that are declared before there is data, beyond the examples of the pages."""

from __future__ import annotations

from typing import Any

import keras
import pytest
from keras import ops

from scaffold.conformance.api import check
from scaffold.conformance.finding import Outcome

TENSORFLOW = keras.backend.backend() == "tensorflow"


def outcome(cls: Any, check_id: str, **case: Any) -> Outcome:
    (found,) = check(cls, **{"input": (2, 6, 8), **case}, only=[check_id], raises=False)
    assert found.status != "blocked", found.reason
    return found


def got(cls: Any, check_id: str, **case: Any) -> list[str]:
    return [finding.got for finding in outcome(cls, check_id, **case).findings]


class TwoOutputs(keras.layers.Layer):
    """Declares one output and returns two."""

    def call(self, inputs: Any) -> Any:
        return inputs, ops.sum(inputs, axis=1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class NamedOutputs(keras.layers.Layer):
    """Its shapes are a dict, as its outputs are."""

    def call(self, inputs: Any) -> Any:
        return {"whole": inputs, "sum": ops.sum(inputs, axis=1)}

    def compute_output_shape(self, input_shape: Any) -> Any:
        return {"sum": (input_shape[0], input_shape[2]), "whole": list(input_shape)}


class OtherNames(NamedOutputs):
    def compute_output_shape(self, input_shape: Any) -> Any:
        return {"sums": (input_shape[0], input_shape[2]), "whole": input_shape}


class Total(keras.layers.Layer):
    """One number, whatever the batch size."""

    def call(self, inputs: Any) -> Any:
        return ops.sum(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return ()


class Joined(keras.layers.Layer):
    """Two arguments, of which `compute_output_shape` names both."""

    def call(self, query: Any, value: Any) -> Any:
        return ops.concatenate([query, value], axis=1)

    def compute_output_shape(self, query_shape: Any, value_shape: Any) -> Any:
        return (query_shape[0], None, query_shape[2])


class Scores(keras.layers.Layer):
    """Traced: it has no `compute_output_shape`."""

    def call(self, inputs: Any) -> Any:
        return [inputs, ops.argmax(inputs, axis=-1)]


class StaticBatch(keras.layers.Layer):
    """Reshapes by a batch size that TensorFlow doesn't know before it runs."""

    def call(self, inputs: Any) -> Any:
        return ops.reshape(inputs, (inputs.shape[0], inputs.shape[1] * inputs.shape[2]))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], 48)


class AskedBatch(StaticBatch):
    def call(self, inputs: Any) -> Any:
        return ops.reshape(inputs, (ops.shape(inputs)[0], inputs.shape[1] * inputs.shape[2]))

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, *others = input_shape
        return (batch, None if None in others else others[0] * others[1])


class KeptBatch(keras.layers.Layer):
    """Declares the batch size that it was created with."""

    def __init__(self, batch: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch = batch

    def call(self, inputs: Any) -> Any:
        return ops.abs(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (self.batch, *input_shape[1:])


class Pair(KeptBatch):
    """Two rows for a batch of any size: the first axis is not the batch."""

    def call(self, inputs: Any) -> Any:
        flat = ops.reshape(inputs, (-1, inputs.shape[1], inputs.shape[2]))
        return ops.stack([ops.max(flat, axis=0), ops.min(flat, axis=0)])


class StaticSteps(keras.layers.Layer):
    """Computes with a number of steps that may be unknown."""

    def call(self, inputs: Any) -> Any:
        return inputs / (inputs.shape[1] + 0.0)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class AskedSteps(StaticSteps):
    def call(self, inputs: Any) -> Any:
        return inputs / ops.cast(ops.shape(inputs)[1], self.compute_dtype)


class FrozenSteps(keras.layers.Layer):
    """Declares the number of steps that it was built with, though it takes others."""

    def build(self, input_shape: Any) -> None:
        self.steps = 6

    def call(self, inputs: Any) -> Any:
        return inputs * 2.0

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.steps, input_shape[2])


class Flat(keras.layers.Layer):
    """A dense layer over all steps, for a fixed number of them."""

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(shape=(input_shape[1] * input_shape[2], 3))

    def call(self, inputs: Any) -> Any:
        return ops.matmul(ops.reshape(inputs, (-1, self.kernel.shape[0])), self.kernel)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], 3)


class Encoder(keras.Model):
    """A model without `compute_output_shape`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(4)

    def build(self, input_shape: Any) -> None:
        self.dense.build(input_shape)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


CHECKS = ["compute-output-shape", "symbolic-equals-eager", "unknown-batch", "unknown-dimensions"]


def test_an_undeclared_output_is_found() -> None:
    found = got(TwoOutputs, "compute-output-shape")
    assert found == ["tensor from `compute_output_shape`"]


def test_a_wrong_name_of_an_output_is_found() -> None:
    found = got(OtherNames, "compute-output-shape")
    assert found == ["{sums: tensor, whole: tensor} from `compute_output_shape`"]


def test_a_batch_that_stays_as_it_was_is_found() -> None:
    assert got(KeptBatch, "unknown-batch") == ["(2, 6, 8)"]


@pytest.mark.skipif(not TENSORFLOW, reason="only TensorFlow runs on unknown sizes")
@pytest.mark.parametrize(
    ("cls", "check_id"), [(StaticBatch, "unknown-batch"), (StaticSteps, "unknown-dimensions")]
)
def test_a_size_that_call_assumes_is_known_is_found(cls: Any, check_id: str) -> None:
    (finding,) = outcome(cls, check_id).findings
    assert finding.got.startswith("TypeError: ")
    assert finding.where is not None
    assert finding.where.line == cls.call.__code__.co_firstlineno + 1


def test_a_number_of_steps_that_stays_as_it_was_is_found() -> None:
    assert got(FrozenSteps, "unknown-dimensions") == ["(None, 6, 8)"]


@pytest.mark.parametrize("check_id", CHECKS)
@pytest.mark.parametrize("cls", [NamedOutputs, Total, Scores, AskedSteps, Encoder])
def test_correct_layers_pass(cls: Any, check_id: str) -> None:
    assert outcome(cls, check_id).findings == ()


@pytest.mark.parametrize("cls", [AskedBatch, Pair])
def test_a_dynamic_batch_size_passes(cls: Any) -> None:
    assert outcome(cls, "unknown-batch").findings == ()


@pytest.mark.parametrize("check_id", CHECKS)
def test_two_arguments_pass(check_id: str) -> None:
    case = {"input": (2, 6, 8), "call": {"value": (2, 4, 8)}}
    assert outcome(Joined, check_id, **case).findings == ()


def test_a_layer_for_one_size_has_no_unknown_ones() -> None:
    found = outcome(Flat, "unknown-dimensions")
    assert (found.status, found.reason) == (
        "not_applicable",
        "once built, it turns larger inputs into more samples",
    )


def test_a_layer_for_one_batch_size_has_no_unknown_one() -> None:
    found = outcome(KeptBatch, "unknown-batch", tags=["fixed-batch"])
    assert found.status == "not_applicable"
