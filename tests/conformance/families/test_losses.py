"""Regularizers, added losses and gradients, beyond the examples of the pages."""

# Keras has no types.
# mypy: disable-error-code="misc, no-any-return, no-untyped-call"

from __future__ import annotations

from typing import Any

import keras
import pytest
from keras import ops

from scaffold.conformance.api import check
from scaffold.conformance.finding import Outcome


def outcome(cls: Any, check_id: str, **case: Any) -> Outcome:
    (found,) = check(cls, **{"input": (2, 6, 8), **case}, only=[check_id], raises=False)
    assert found.status != "blocked", found.reason
    return found


class Regularized(keras.layers.Layer):
    """One regularizer for a part, one for the outputs, one for a weight that isn't trained."""

    def __init__(
        self,
        kernel_regularizer: Any = None,
        output_regularizer: Any = "l2",
        table_regularizer: Any = None,
        use_bias: bool = False,
        bias_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.output_regularizer = keras.regularizers.get(output_regularizer)
        self.table_regularizer = keras.regularizers.get(table_regularizer)
        self.dense = keras.layers.Dense(
            8,
            use_bias=use_bias,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
        )

    def build(self, input_shape: Any) -> None:
        self.dense.build(input_shape)
        self.table = self.add_weight(
            name="table", shape=(8,), trainable=False, regularizer=self.table_regularizer
        )

    def call(self, inputs: Any) -> Any:
        outputs = self.dense(inputs) * self.table
        self.add_loss(self.output_regularizer(outputs))
        return outputs


def test_only_the_regularizer_without_effect_is_found() -> None:
    (found,) = outcome(Regularized, "regularizers-wired").findings
    assert found.expected == "a larger `table_regularizer` to add a larger loss"


class InBuild(keras.layers.Layer):
    """Its loss is gone before the first call."""

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(name="scale", shape=(8,), initializer="ones")
        self.add_loss(ops.sum(self.scale.value))

    def call(self, inputs: Any) -> Any:
        return inputs * self.scale


class PilesUp(keras.layers.Layer):
    """Keeps its losses in its own list."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kept: list[Any] = []

    @property
    def losses(self) -> list[Any]:
        return list(self.kept)

    def call(self, inputs: Any) -> Any:
        self.kept.append(ops.mean(inputs))
        return inputs


class Right(keras.layers.Layer):
    """Losses of every kind that Keras takes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(
            8, kernel_regularizer="l2", activity_regularizer="l1", dtype=self.dtype_policy
        )

    def build(self, input_shape: Any) -> None:
        self.dense.build(input_shape)

    def call(self, inputs: Any) -> Any:
        self.add_loss([ops.mean(inputs), ops.max(inputs)])
        return self.dense(inputs)


@pytest.mark.parametrize(
    ("cls", "got"),
    [(InBuild, "one that the first call clears"), (PilesUp, "1, 2 and 3 in three calls")],
)
def test_losses_that_come_and_go_are_found(cls: Any, got: str) -> None:
    (found,) = outcome(cls, "added-losses").findings
    assert found.got == got


def test_the_losses_that_keras_takes_pass() -> None:
    assert outcome(Right, "added-losses").status == "passed"
    assert outcome(keras.layers.Dense, "added-losses", args={"units": 2}).status == "not_applicable"


class Residual(keras.layers.Layer):
    """Starts as the identity: its kernel has a gradient only once the scale is off zero."""

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(name="kernel", shape=(8, 8))
        self.scale = self.add_weight(name="scale", shape=(), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        return inputs + self.scale * ops.matmul(inputs, self.kernel)


class RarelyUsed(keras.layers.Layer):
    """Drops its branch in most training steps."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(8, "relu")
        self.drop = keras.layers.Dropout(0.6, noise_shape=(1, 1, 1), seed=1)

    def build(self, input_shape: Any) -> None:
        self.dense.build(input_shape)

    def call(self, inputs: Any, training: Any = None) -> Any:
        return inputs + self.drop(self.dense(inputs), training=training)


class ByLoss(keras.layers.Layer):
    """Its weight is trained by an added loss alone, and its outputs are integers."""

    def build(self, input_shape: Any) -> None:
        self.codes = self.add_weight(name="codes", shape=(8,))

    def call(self, inputs: Any) -> Any:
        self.add_loss(ops.mean(ops.square(inputs - self.codes)))
        return ops.cast(inputs > 0, "int32")


class OwnStep(keras.Model):
    """Trains a critic that no call uses."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.critic = keras.layers.Dense(1)

    def build(self, input_shape: Any) -> None:
        self.critic.build(input_shape)

    def call(self, inputs: Any) -> Any:
        return inputs * 2.0

    def train_step(self, data: Any) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize("cls", [Residual, RarelyUsed, ByLoss])
def test_a_gradient_that_is_not_always_there_is_enough(cls: Any) -> None:
    assert outcome(cls, "gradient-reaches-weights").status == "passed"


def test_integers_go_in_and_a_step_of_its_own_is_left_alone() -> None:
    words = {"args": {"input_dim": 10, "output_dim": 4}, "input": "2,6:int32:0..10"}
    assert outcome(keras.layers.Embedding, "gradient-reaches-weights", **words).status == "passed"
    assert outcome(OwnStep, "gradient-reaches-weights").status == "not_applicable"


class Chosen(keras.layers.Layer):
    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(name="kernel", shape=(8, 4))
        self.bias = self.add_weight(name="bias", shape=(1,))

    def call(self, inputs: Any) -> Any:
        best = ops.argmax(ops.matmul(inputs, self.kernel), axis=-1)
        return ops.cast(best, inputs.dtype) + self.bias


def test_the_line_that_cuts_the_gradient_is_named() -> None:
    (found,) = outcome(Chosen, "gradient-reaches-weights").findings
    assert found.expected == "a gradient for `self.kernel`"
    assert found.where is not None
    line = Chosen.call.__code__.co_firstlineno + 1
    assert (found.where.path, found.where.line) == (__file__, line)
