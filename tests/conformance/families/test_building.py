"""Weights that come late, twice or with equal values, and those that may."""

# Keras has no types.
# mypy: disable-error-code="misc, no-any-return, no-untyped-call"

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from scaffold.conformance.api import check
from scaffold.conformance.finding import Finding, Outcome


def outcome(cls: Any, check_id: str, **case: Any) -> Outcome:
    (found,) = check(cls, **{"input": (2, 6, 8), **case}, only=[check_id], raises=False)
    assert found.status != "blocked", found.reason
    return found


def findings(cls: Any, check_id: str, **case: Any) -> tuple[Finding, ...]:
    return outcome(cls, check_id, **case).findings


class OtherOrder(keras.layers.Layer):
    """Builds its parts in a different order than it calls them: not a fault."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.one = keras.layers.Dense(8)
        self.two = keras.layers.Dense(8)

    def build(self, input_shape: Any) -> None:
        self.two.build(input_shape)
        self.one.build(input_shape)

    def call(self, inputs: Any) -> Any:
        return self.two(self.one(inputs))


class Spare(keras.layers.Layer):
    """Has a part that it never uses, and one without weights that is never built."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spare = keras.layers.Dense(8)
        self.scale = Halve()

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(name="kernel", shape=(8, 8))

    def call(self, inputs: Any) -> Any:
        return self.scale(ops.matmul(inputs, self.kernel))


class Halve(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs / 2


class TwoInputs(keras.layers.Layer):
    def build(self, query_shape: Any, value_shape: Any) -> None:
        self.kernel = self.add_weight(name="kernel", shape=(query_shape[-1], value_shape[-1]))

    def call(self, query: Any, value: Any) -> Any:
        return ops.matmul(query, self.kernel) + value


class Subclassed(keras.Model):
    """A model without `build`: Keras builds it by a symbolic call."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(4)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


@pytest.mark.parametrize("cls", [OtherOrder, Spare, Subclassed])
def test_a_layer_that_builds_all_that_it_uses_passes(cls: Any) -> None:
    assert findings(cls, "build-makes-all-weights") == ()


def test_a_layer_of_two_inputs_passes() -> None:
    case = {"input": (2, 6, 8), "call": {"value": (2, 6, 4)}}
    assert findings(TwoInputs, "build-makes-all-weights", **case) == ()


class EmptyBuild(keras.Model):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(4)

    def build(self, input_shape: Any) -> None:
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


class Breaks(keras.Model):
    """Keras swallows what a model's own `build` raises."""

    def build(self, input_shape: Any) -> None:
        if not self.inputs_seen():
            raise ValueError("no inputs yet")
        self.kernel = self.add_weight(name="kernel", shape=(8, 4))

    def inputs_seen(self) -> bool:
        return self._called

    def call(self, inputs: Any) -> Any:
        return ops.matmul(inputs, self.kernel)


@pytest.mark.parametrize(
    ("cls", "got"),
    [(EmptyBuild, "`dense` isn't built"), (Breaks, "ValueError: no inputs yet")],
)
def test_weights_that_come_with_the_call_are_found(cls: Any, got: str) -> None:
    (found,) = findings(cls, "build-makes-all-weights")
    assert found.got == got


_SHARED: list[keras.Variable] = []


class SharesVariable(keras.layers.Layer):
    def build(self, input_shape: Any) -> None:
        if not _SHARED:
            _SHARED.append(keras.Variable(ops.ones((8,)), name="scale"))
        self.scale = _SHARED[0]

    def call(self, inputs: Any) -> Any:
        return inputs * self.scale


def test_a_shared_variable_is_found() -> None:
    (found,) = findings(SharesVariable, "instances-independent")
    assert found.got == "`self.scale` shared by both"


class OneInitializer(keras.layers.Layer):
    """Passes one initializer object to both of its parts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        initializer = keras.initializers.HeNormal()
        self.blocks = [keras.layers.Dense(8, kernel_initializer=initializer) for _ in range(2)]

    def build(self, input_shape: Any) -> None:
        for block in self.blocks:
            block.build(input_shape)

    def call(self, inputs: Any) -> Any:
        return self.blocks[1](self.blocks[0](inputs))


class Frequencies(keras.layers.Layer):
    """Two weights that start with the same table, and a frozen copy of a random one: on purpose."""

    def build(self, input_shape: Any) -> None:
        table = np.log(np.arange(1.0, 9.0))
        self.left = self.add_weight(name="left", shape=(8,), initializer="zeros")
        self.right = self.add_weight(name="right", shape=(8,), initializer="zeros")
        self.student = self.add_weight(name="student", shape=(8, 8))
        self.teacher = self.add_weight(name="teacher", shape=(8, 8), trainable=False)
        self.other = self.add_weight(name="other", shape=(8, 8))
        self.left.assign(table)
        self.right.assign(table)
        self.teacher.assign(self.student)

    def call(self, inputs: Any) -> Any:
        return ops.matmul(inputs * self.left - self.right, self.student + self.other)


def test_a_shared_initializer_is_found_and_tables_are_not() -> None:
    (found,) = findings(OneInitializer, "initial-weights-differ")
    assert found.expected.startswith("`self.blocks[0].kernel`, `self.blocks[1].kernel` to start")
    assert findings(Frequencies, "initial-weights-differ") == ()


class Optional(keras.layers.Layer):
    """Passes its arguments to a part, one of them without effect while there is no bias."""

    def __init__(
        self,
        use_bias: bool = False,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        bias_constraint: Any = None,
        output_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.output_constraint = keras.constraints.get(output_constraint)
        self.dense = keras.layers.Dense(
            4,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape: Any) -> None:
        self.dense.build(input_shape)

    def call(self, inputs: Any) -> Any:
        outputs = self.dense(inputs)
        return outputs if self.output_constraint is None else self.output_constraint(outputs)


@pytest.mark.parametrize("check_id", ["initializers-wired", "constraints-wired"])
@pytest.mark.parametrize("use_bias", [False, True])
def test_arguments_of_what_is_turned_off_are_left_alone(check_id: str, use_bias: bool) -> None:
    found = outcome(Optional, check_id, args={"use_bias": use_bias})
    assert (found.status, found.findings) == ("passed", ())


class Unwired(keras.layers.Layer):
    def __init__(
        self, bias_initializer: Any = None, bias_constraint: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.bias_initializer = bias_initializer
        self.bias_constraint = bias_constraint

    def build(self, input_shape: Any) -> None:
        self.bias = self.add_weight(name="bias", shape=input_shape[-1:])

    def call(self, inputs: Any) -> Any:
        return inputs + self.bias


@pytest.mark.parametrize("kind", ["initializer", "constraint"])
def test_an_argument_that_reaches_no_weight_is_found(kind: str) -> None:
    (found,) = findings(Unwired, f"{kind}s-wired")
    assert found.expected.startswith(f"`bias_{kind}` to ")
