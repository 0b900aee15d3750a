"""Everywhere that state can hide, and where it is not a fault."""

# Keras has no types.
# mypy: disable-error-code="misc, no-any-return, no-untyped-call"

from __future__ import annotations

import functools
import queue
from collections import namedtuple
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from scaffold.conformance.api import check
from scaffold.conformance.finding import Finding

SHAPE = (2, 6, 8)
Pair = namedtuple("Pair", "dense gain")


def findings(cls: Any, check_id: str, **args: Any) -> tuple[Finding, ...]:
    (outcome,) = check(cls, args=args, input=SHAPE, only=[check_id], raises=False)
    assert outcome.status in ("passed", "failed"), outcome.reason
    return outcome.findings


class Box:
    __slots__ = ("dense",)


def in_slots(layer: Any, dense: Any) -> None:
    layer.keep = Box()
    layer.keep.dense = dense


def in_item(layer: Any, dense: Any) -> None:
    layer.keep = {}
    layer.keep["a"] = []
    layer.keep["a"].append(dense)


def in_queue(layer: Any, dense: Any) -> None:
    layer.keep = queue.Queue()
    layer.keep.put(dense)


def set_(layer: Any, value: Any) -> None:
    layer.keep = value


HIDDEN = {
    "closure": (lambda layer, d: set_(layer, lambda: d), lambda layer: layer.keep()),
    "cache": (lambda layer, d: set_(layer, functools.lru_cache(lambda: d)),
              lambda layer: layer.keep()),
    "slots": (in_slots, lambda layer: layer.keep.dense),
    "namespace": (lambda layer, d: set_(layer, SimpleNamespace(parts={"a": (d,)})),
                  lambda layer: layer.keep.parts["a"][0]),
    "list in a dict": (in_item, lambda layer: layer.keep["a"][0]),
    "around Keras": (lambda layer, d: object.__setattr__(layer, "keep", d),
                     lambda layer: layer.keep),
    "queue": (in_queue, lambda layer: layer.keep.queue[0]),
}  # fmt: skip
SEEN = {
    "list": (lambda layer, d: set_(layer, [[d]]), lambda layer: layer.keep[0][0]),
    "dict": (lambda layer, d: set_(layer, {"a": {"b": d}}), lambda layer: layer.keep["a"]["b"]),
    "tuple": (lambda layer, d: set_(layer, (1, (d,))), lambda layer: layer.keep[1][0]),
    "named tuple": (lambda layer, d: set_(layer, Pair(d, 2.0)), lambda layer: layer.keep.dense),
    "set": (lambda layer, d: set_(layer, {d}), lambda layer: next(iter(layer.keep))),
}
WAYS = HIDDEN | SEEN


class Keeper(keras.layers.Layer):
    def __init__(self, way: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.way = way

    def build(self, input_shape: Any) -> None:
        dense = keras.layers.Dense(4)
        dense.build(input_shape)
        WAYS[self.way][0](self, dense)

    def call(self, inputs: Any) -> Any:
        return WAYS[self.way][1](self)(inputs)


@pytest.mark.parametrize("way", HIDDEN)
def test_a_hidden_sublayer_is_found(way: str) -> None:
    (found,) = findings(Keeper, "sublayers-tracked", way=way)
    assert found.got == "an untracked Dense: 2 weights lost"
    assert found.where is not None
    assert found.where.path == __file__
    assert findings(Keeper, "weights-tracked", way=way) == ()


@pytest.mark.parametrize("way", SEEN)
def test_a_tracked_sublayer_passes(way: str) -> None:
    assert findings(Keeper, "sublayers-tracked", way=way) == ()


_GLOBAL = keras.layers.Dense(4)


class Global(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return _GLOBAL(inputs)


def test_a_layer_of_the_module_is_found_at_its_name() -> None:
    (found,) = findings(Global, "sublayers-tracked")
    assert found.expected == "`Global.call -> _GLOBAL` among the sub-layers that Keras tracks"


class Stateless(keras.layers.Layer):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.parts = SimpleNamespace(activation=keras.layers.ReLU(), owner=self)

    def call(self, inputs: Any) -> Any:
        return self.parts.activation(inputs)


class PartOfAnother(keras.layers.Layer):
    """Uses one layer of a model in which other layers depend on it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        inputs = keras.Input((6, 8))
        hidden = keras.layers.Dense(4)(inputs)
        whole = keras.Model(inputs, keras.layers.Dense(3)(hidden))
        self.part = keras.Model(inputs, whole.layers[1].output)

    def call(self, inputs: Any) -> Any:
        return self.part(inputs)


class Optimizing(keras.layers.Layer):
    """Keeps an optimizer, as for a GAN, and drops a variable that it made."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.optimizer = keras.optimizers.Adam()
        self.size = float(ops.sum(keras.Variable(ops.ones((3,))).value))

    def call(self, inputs: Any) -> Any:
        return inputs * self.size


class Tables(keras.layers.Layer):
    """Fixed values of every kind, and a tensor instead of a bias that is turned off."""

    def __init__(self, use_bias: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.use_bias = use_bias
        self.positions = np.linspace(0.0, 1.0, 8, dtype="float32")
        self.phases = keras.random.uniform((8,), seed=3)
        self.window = ops.ones((8,))

    def build(self, input_shape: Any) -> None:
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(8,))
        else:
            self.bias = ops.zeros((8,))

    def call(self, inputs: Any) -> Any:
        self.last = ops.sum(inputs)
        return (inputs + self.positions) * self.window + self.phases + self.bias


@pytest.mark.parametrize("cls", [Stateless, PartOfAnother, Optimizing, Tables])
@pytest.mark.parametrize("check_id", ["sublayers-tracked", "weights-tracked", "no-state-in-call"])
def test_correct_layers_pass(cls: Any, check_id: str) -> None:
    assert findings(cls, check_id) == ()


def native_variable() -> Any:
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.Variable(tf.ones((8,)))
    if keras.backend.backend() == "torch":
        import torch

        return torch.nn.Parameter(torch.ones(8))
    return keras.random.normal((8,))  # JAX has none but arrays


LOST = {
    "native": lambda: native_variable(),
    "native in a namespace": lambda: SimpleNamespace(value=native_variable()),
    "random": lambda: keras.random.normal((8,)),
    "numpy": lambda: np.random.standard_normal(8).astype("float32"),
    "variable": lambda: SimpleNamespace(value=keras.Variable(ops.ones((8,)))),
    "seeds": lambda: SimpleNamespace(value=keras.random.SeedGenerator(1)),
    "metric": lambda: SimpleNamespace(value=keras.metrics.Mean()),
}


class Loser(keras.layers.Layer):
    def __init__(self, what: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.what = what

    def build(self, input_shape: Any) -> None:
        self.state = LOST[self.what]()

    def call(self, inputs: Any) -> Any:
        return inputs * 1.0


@pytest.mark.parametrize("what", LOST)
def test_lost_state_is_found(what: str) -> None:
    found = findings(Loser, "weights-tracked", what=what)
    assert {one.expected.split("`")[1] for one in found} <= {"self.state", "self.state.value"}
    assert found


class Queued(keras.layers.Layer):
    """Holds a variable where no walk reaches."""

    def build(self, input_shape: Any) -> None:
        self.queue: Any = queue.SimpleQueue()
        self.queue.put(keras.Variable(ops.ones((8,)), name="lost"))

    def call(self, inputs: Any) -> Any:
        return inputs * 1.0


def test_a_variable_is_found_wherever_it_is_alive() -> None:
    (found,) = findings(Queued, "weights-tracked")
    assert found.got.endswith("lost`, which is untracked: neither trained nor saved")


class MakesSeeds(keras.layers.Layer):
    def call(self, inputs: Any, training: Any = None) -> Any:
        if not training:
            return inputs
        return keras.random.dropout(inputs, 0.5, seed=keras.random.SeedGenerator(1))


class MakesVariable(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs * keras.Variable(ops.ones((8,)))


@pytest.mark.parametrize(
    ("cls", "what"), [(MakesSeeds, "SeedGenerator"), (MakesVariable, "Variable")]
)
def test_state_made_in_a_call_is_found(cls: Any, what: str) -> None:
    (found,) = findings(cls, "no-state-in-call")
    assert found.got == f"a new {what} in a second call"
    assert found.where is not None
    assert found.where.path == __file__
