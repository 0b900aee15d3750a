"""Dtype policies and small floats, beyond the examples of the pages."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from scaffold.conformance.api import check
from scaffold.conformance.finding import Outcome

BACKEND = keras.backend.backend()


def outcome(cls: Any, check_id: str, **case: Any) -> Outcome:
    (found,) = check(cls, **{"input": (2, 6, 8), **case}, only=[check_id], raises=False)
    assert found.status != "blocked", found.reason
    return found


class InList(keras.layers.Layer):
    """Sub-layers in a list, one of which has no policy."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.blocks = [keras.layers.Dense(8, dtype=policy), keras.layers.Dense(8)]

    def build(self, input_shape: Any) -> None:
        for block in self.blocks:
            block.build(input_shape)

    def call(self, inputs: Any) -> Any:
        for block in self.blocks:
            inputs = block(inputs)
        return inputs


class MadeInBuild(keras.layers.Layer):
    """A sub-layer created in `build`, without a policy."""

    def build(self, input_shape: Any) -> None:
        self.inner = keras.layers.Dense(8)
        self.inner.build(input_shape)

    def call(self, inputs: Any) -> Any:
        return self.inner(inputs)


class ComputeDtype(keras.layers.Layer):
    """A sub-layer that holds its weights in the dtype that it computes in."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner = keras.layers.Dense(8, dtype=self.compute_dtype)

    def build(self, input_shape: Any) -> None:
        self.inner.build(input_shape)

    def call(self, inputs: Any) -> Any:
        return self.inner(inputs)


class PreciseSoftmax(keras.layers.Layer):
    """A sub-layer in float32 on purpose, whose outputs are cast back."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.softmax = keras.layers.Softmax(dtype="float32")

    def call(self, inputs: Any) -> Any:
        return ops.cast(self.softmax(inputs), self.compute_dtype)


class CastOutput(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return ops.cast(inputs, "float32")


class PinnedWeight(keras.layers.Layer):
    """A weight that is float32 under every policy."""

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(shape=(8,), dtype="float32", name="scale")

    def call(self, inputs: Any) -> Any:
        return inputs * ops.cast(self.scale, inputs.dtype)


class WideConstant(keras.layers.Layer):
    """Multiplies by a float64 array."""

    def call(self, inputs: Any) -> Any:
        return inputs * np.linspace(0.0, 1.0, 8)


class Ranked(keras.layers.Layer):
    """Floats, and integers that no policy applies to."""

    def call(self, inputs: Any) -> Any:
        return inputs, ops.argsort(inputs, axis=-1), inputs > 0

    def compute_output_spec(self, inputs: Any) -> Any:
        floats = keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)
        ints = keras.KerasTensor(inputs.shape, dtype="int32")
        return floats, ints, keras.KerasTensor(inputs.shape, dtype="bool")


class WrongSpec(keras.layers.Layer):
    """Declares float32 under every policy."""

    def call(self, inputs: Any) -> Any:
        return inputs * 2.0

    def compute_output_spec(self, inputs: Any) -> Any:
        return keras.KerasTensor(inputs.shape, dtype="float32")


class Wrapper(keras.layers.Layer):
    """Takes a layer that has its own policy."""

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any) -> None:
        self.layer.build(input_shape)

    def call(self, inputs: Any) -> Any:
        return self.layer(inputs)


class Scores(keras.layers.Layer):
    """A softmax over scores that are fully masked if the inputs are zeros."""

    lowest = -1e9

    def call(self, inputs: Any) -> Any:
        scores = ops.where(ops.equal(inputs, 0.0), inputs + self.lowest, inputs)
        return ops.softmax(scores, axis=-1)


class LowerScores(Scores):
    lowest = -3e4


class Energy(keras.layers.Layer):
    """Large numbers, which as results float16 doesn't have either."""

    def call(self, inputs: Any) -> Any:
        return ops.square(inputs * 1e4)


class Logarithm(keras.layers.Layer):
    """Infinite in float32 too."""

    def call(self, inputs: Any) -> Any:
        return ops.log(ops.abs(inputs))


class Norm(keras.layers.Layer):
    """Divides by a norm, with a small number that is zero in float16."""

    def call(self, inputs: Any) -> Any:
        total = ops.sum(ops.square(inputs), axis=-1, keepdims=True)
        return inputs * ops.rsqrt(total + 1e-12)


class WideNorm(Norm):
    """The same in float32."""

    def call(self, inputs: Any) -> Any:
        return ops.cast(super().call(ops.cast(inputs, "float32")), self.compute_dtype)


@pytest.mark.parametrize(("cls", "name"), [(InList, "blocks"), (MadeInBuild, "inner")])
def test_a_sub_layer_without_a_policy_is_named(cls: Any, name: str) -> None:
    (finding,) = outcome(cls, "dtype-policy").findings
    assert finding.expected == f"`{name}`, a Dense, to have the layer's dtype policy"
    assert finding.where is not None


def test_weights_held_in_the_compute_dtype_are_found() -> None:
    (finding,) = outcome(ComputeDtype, "dtype-policy").findings
    assert finding.expected == "float32 weights in `inner`"
    assert finding.got == "bfloat16 with dtype='mixed_bfloat16'"


def test_a_cast_to_float32_is_found() -> None:
    (finding,) = outcome(CastOutput, "dtype-policy").findings
    assert finding.expected == "bfloat16 outputs with dtype='mixed_bfloat16'"
    assert finding.got == "float32"


def test_a_weight_of_a_pinned_dtype_is_found() -> None:
    (finding,) = outcome(PinnedWeight, "dtype-policy").findings
    assert finding.expected == "float16 weights with dtype='float16'"
    assert finding.got == "float32 in `scale`"


@pytest.mark.skipif(BACKEND == "tensorflow", reason="it gives the array the tensor's dtype")
def test_a_float64_constant_is_found() -> None:
    policy = {"jax": "mixed_bfloat16", "torch": "float32"}[BACKEND]
    (finding,) = outcome(WideConstant, "dtype-policy").findings
    assert finding.expected.endswith(f"outputs with dtype={policy!r}")


def test_a_spec_of_another_dtype_is_found() -> None:
    (finding,) = outcome(WrongSpec, "dtype-policy").findings
    assert finding.expected == "bfloat16 from a symbolic call with dtype='mixed_bfloat16'"


def test_outputs_of_a_kept_dtype_are_expected() -> None:
    assert outcome(CastOutput, "dtype-policy", tags=["keeps-dtype"]).status == "expected"


@pytest.mark.parametrize("cls", [PreciseSoftmax, Ranked])
def test_correct_layers_pass(cls: Any) -> None:
    assert outcome(cls, "dtype-policy").status == "passed"


def test_a_layer_that_is_passed_in_does_not_count() -> None:
    case = {"args": {"layer": "keras.layers.Dense(4)"}}
    assert outcome(Wrapper, "dtype-policy", **case).status == "passed"


def test_the_global_policy_is_as_it_was() -> None:
    outcome(InList, "dtype-policy")
    assert keras.config.dtype_policy().name == "float32"


def test_integers_have_no_policy() -> None:
    case = {"input": "2,6:int32:0..7", "args": {"input_dim": 7, "output_dim": 4}}
    assert outcome(keras.layers.Embedding, "dtype-policy", **case).status == "passed"


@pytest.mark.parametrize("cls", [Scores, Norm])
def test_what_small_floats_cannot_hold_is_found(cls: Any) -> None:
    (finding,) = outcome(cls, "finite-in-low-precision").findings
    assert finding.got == "NaN or infinity in float16 for an input of zeros"


@pytest.mark.parametrize("cls", [LowerScores, WideNorm, Energy, Logarithm])
def test_what_small_floats_can_hold_passes(cls: Any) -> None:
    assert outcome(cls, "finite-in-low-precision").status == "passed"
