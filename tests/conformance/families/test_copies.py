"""Copies that share or lose something, beyond the examples of the pages."""

# Keras has no types.
# mypy: disable-error-code="misc, no-any-return, no-untyped-call"

from __future__ import annotations

from typing import Any, Self

import keras
import pytest
from keras import ops

from conformance.one_check import outcome

CHECKS = ("clone-equal", "deepcopy-equal", "pickle-equal")


@keras.saving.register_keras_serializable(package="test_copies")
class Rolled(keras.layers.Layer):
    """Draws a shift that is not in a weight."""

    drawn = 0

    def build(self, input_shape: Any) -> None:
        type(self).drawn += 1
        self.shift = self.drawn

    def call(self, inputs: Any) -> Any:
        return ops.roll(inputs, self.shift, axis=-1)


@keras.saving.register_keras_serializable(package="test_copies")
class Cached(keras.layers.Layer):
    """Its copy shares the sub-layer."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(8)

    def build(self, input_shape: Any) -> None:
        if not self.dense.built:
            self.dense.build(input_shape)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)

    def __deepcopy__(self, memo: Any) -> Self:
        copied = type(self).from_config(self.get_config())
        copied.dense = self.dense
        return copied


@keras.saving.register_keras_serializable(package="test_copies")
class Sampled(keras.layers.Layer):
    """Gives different numbers in each call, on purpose."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = keras.random.SeedGenerator()

    def call(self, inputs: Any) -> Any:
        return inputs + keras.random.normal(ops.shape(inputs), seed=self.seed)


@keras.saving.register_keras_serializable(package="test_copies")
class Small(keras.Model):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(4)

    def build(self, input_shape: Any) -> None:
        self.dense.build(input_shape)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


@pytest.mark.parametrize("check_id", CHECKS)
def test_what_is_in_no_weight_is_lost(check_id: str) -> None:
    assert outcome(Rolled, check_id).status == "failed"


def test_a_copy_that_shares() -> None:
    found = outcome(Cached, "deepcopy-equal")
    assert [finding.expected for finding in found.findings] == [
        "a copy with its own weights and sub-layers"
    ]


@pytest.mark.parametrize("check_id", CHECKS)
@pytest.mark.parametrize("cls", [Sampled, Small, keras.layers.BatchNormalization])
def test_correct_layers_pass(cls: Any, check_id: str) -> None:
    assert outcome(cls, check_id).status == "passed"


def test_normalization_keeps_what_it_computes_when_it_loads() -> None:
    assert outcome(keras.layers.Normalization, "deepcopy-equal").status == "passed"
