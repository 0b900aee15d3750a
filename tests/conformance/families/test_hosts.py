"""Layers in Keras's models and wrappers, beyond the examples of the pages."""

# Keras has no types.
# mypy: disable-error-code="misc, no-any-return, no-untyped-call"

from __future__ import annotations

from typing import Any

import keras
import pytest
from keras import ops

from conformance.one_check import outcome


class Pair(keras.layers.Layer):
    """Returns two tensors."""

    def call(self, inputs: Any) -> Any:
        return inputs, inputs * 2


class InTuple(keras.layers.Layer):
    """Returns a tuple of one."""

    def call(self, inputs: Any) -> Any:
        return (inputs * 2,)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape,)


class WithoutShape(keras.layers.Layer):
    """Doesn't declare its output shape."""

    def call(self, inputs: Any) -> Any:
        return inputs * 2


class Counting(keras.layers.Layer):
    """Gives something else in its second call."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seen: list[int] = []

    def call(self, inputs: Any) -> Any:
        self.seen.append(1)
        return inputs * len(self.seen)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


def test_a_tuple_of_one_in_sequential() -> None:
    (finding,) = outcome(InTuple, "inside-sequential").findings
    assert finding.got == "a tuple of one tensor"


def test_two_outputs_are_not_for_sequential() -> None:
    assert outcome(Pair, "inside-sequential").status == "not_applicable"


def test_time_distributed_asks_for_the_shape() -> None:
    (finding,) = outcome(WithoutShape, "inside-time-distributed").findings
    assert finding.got == "a class without it"


def test_a_layer_that_changes_at_each_call_is_not_blamed_for_its_host() -> None:
    assert outcome(Counting, "inside-functional").status == "passed"


@pytest.mark.parametrize("args", [{}, {"return_sequences": True}, {"return_state": True}])
@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_recurrent_layers_read_backwards(name: str, args: Any) -> None:
    found = outcome(getattr(keras.layers, name), "inside-bidirectional", args={"units": 3, **args})
    assert found.status == "passed"


@pytest.mark.parametrize("dtype", ["mixed_float16", "float16"])
def test_low_precision_in_time_distributed(dtype: str) -> None:
    args = {"units": 3, "dtype": dtype}
    assert outcome(keras.layers.Dense, "inside-time-distributed", args=args).status == "passed"


def test_masks_and_several_inputs_in_functional() -> None:
    args = {"num_heads": 2, "key_dim": 3}
    case = {"input": "2,6,8:mask", "call": {"value": "2,6,8"}}
    found = outcome(keras.layers.MultiHeadAttention, "inside-functional", args=args, **case)
    assert found.status == "passed"


def test_images_in_time_distributed() -> None:
    args = {"filters": 3, "kernel_size": 2}
    found = outcome(keras.layers.Conv2D, "inside-time-distributed", args=args, input=(2, 5, 6, 3))
    assert found.status == "passed"


def test_one_call_of_the_shared_layer_is_that_of_each_input() -> None:
    class Scaled(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs / (1 + ops.max(ops.abs(inputs)))

    assert outcome(Scaled, "inside-functional").status == "passed"
