"""Freezing and running state, beyond the examples of the pages."""

# Keras has no types.
# mypy: disable-error-code="misc, no-any-return, no-untyped-call"

from __future__ import annotations

from typing import Any

import keras
import pytest
from keras import ops

from scaffold.conformance.api import check
from scaffold.conformance.finding import Outcome


def outcome(cls: Any, check_id: str, **args: Any) -> Outcome:
    (found,) = check(cls, args=args, input=(2, 6, 8), only=[check_id], raises=False)
    assert found.status != "blocked", found.reason
    return found


class Half(keras.layers.Layer):
    """Its setter reaches one of its parts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.one = keras.layers.Dense(8)
        self.two = keras.layers.Dense(8)

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = value
        self.one.trainable = value

    def call(self, inputs: Any) -> Any:
        return self.two(self.one(inputs))


class NeverBack(keras.layers.Layer):
    """Once frozen, it stays frozen."""

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(name="scale", shape=(8,))

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        keras.layers.Layer.trainable.fset(self, value and self._trainable)

    def call(self, inputs: Any) -> Any:
        return inputs * self.scale


def test_a_setter_that_stops_half_way_is_found() -> None:
    (found,) = outcome(Half, "trainable-reaches-all").findings
    assert found.got.endswith("still trainable")
    (found,) = outcome(NeverBack, "trainable-reaches-all").findings
    assert found.expected == "`self.scale` to be trainable again after `trainable = True`"


class Frozen(keras.layers.Layer):
    """Freezes a part as its argument says, and leaves the argument out of the config."""

    def __init__(self, freeze: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.freeze = freeze
        self.base = keras.layers.Dense(8, trainable=not freeze)
        self.head = keras.layers.Dense(8)

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        keras.layers.Layer.trainable.fset(self, value)
        self.base.trainable = value and not self.freeze

    def call(self, inputs: Any) -> Any:
        return self.head(self.base(inputs))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"freeze": False}


def test_what_the_config_forgets_to_freeze_is_found() -> None:
    (found,) = outcome(Frozen, "frozen-stays-frozen", freeze=True).findings
    assert found.got == "0 of 2 frozen"
    assert outcome(Frozen, "frozen-stays-frozen").status == "not_applicable"
    assert outcome(Frozen, "trainable-reaches-all", freeze=True).status == "passed"


@pytest.mark.parametrize("args", [{}, {"trainable": False}])
def test_a_non_trainable_weight_is_not_a_frozen_one(args: dict[str, Any]) -> None:
    found = outcome(keras.layers.BatchNormalization, "frozen-stays-frozen", **args)
    assert found.status == "not_applicable"


class Counts(keras.layers.Layer):
    """Counts training steps only, and draws noise and updates a metric at inference."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seeds = keras.random.SeedGenerator(1)
        self.mean = keras.metrics.Mean()

    def build(self, input_shape: Any) -> None:
        self.steps = self.add_weight(
            name="steps", shape=(), dtype="int32", initializer="zeros", trainable=False
        )

    def call(self, inputs: Any, training: Any = None) -> Any:
        if training:
            self.steps.assign(self.steps + 1)
        self.mean.update_state(inputs)
        return inputs + keras.random.normal(ops.shape(inputs), seed=self.seeds)


class Inner(keras.layers.Layer):
    """Its part is always in training mode."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.norm = keras.layers.BatchNormalization()

    def build(self, input_shape: Any) -> None:
        self.norm.build(input_shape)

    def call(self, inputs: Any) -> Any:
        return self.norm(inputs, training=True)


def test_only_weights_must_stay_at_inference() -> None:
    assert outcome(Counts, "state-changes-only-in-training").status == "passed"
    (found,) = outcome(Inner, "state-changes-only-in-training").findings
    names = "`self.norm.moving_mean`, `self.norm.moving_variance`"
    assert found.expected == f"{names} unchanged with `training=False`"
