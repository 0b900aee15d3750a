"""Training, threads, long runs and export, beyond the examples of the pages."""

# Keras has no types.
# mypy: disable-error-code="misc, no-any-return, no-untyped-call"

from __future__ import annotations

import functools
import threading
import time
from collections import deque
from typing import Any, ClassVar

import keras
import pytest
from keras import ops

from conformance.one_check import outcome

KEPT: deque[Any] = deque()


@keras.saving.register_keras_serializable(package="test_life")
class Climbing(keras.layers.Layer):
    """Its gradient points the wrong way."""

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(shape=input_shape[-1:], initializer="ones")

    def call(self, inputs: Any) -> Any:
        outputs = inputs * self.scale
        return 2.0 * ops.stop_gradient(outputs) - outputs


class Gated(keras.layers.Layer):
    """Starts closed: its output is zero at first."""

    def build(self, input_shape: Any) -> None:
        self.gate = self.add_weight(shape=(1,), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        return inputs * self.gate


class Noisy(keras.layers.Layer):
    """Its noise is larger than what a few steps gain."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(4)
        self.drop = keras.layers.Dropout(0.8, seed=1)
        self.norm = keras.layers.BatchNormalization()

    def build(self, input_shape: Any) -> None:
        self.dense.build(input_shape)
        self.norm.build((*input_shape[:-1], 4))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        hidden = self.norm(self.dense(inputs), training=training)
        return self.drop(hidden, training=training)


class Several(keras.layers.Layer):
    """Takes a dict, returns a dict with an integer tensor in it."""

    def build(self, input_shape: Any) -> None:
        self.dense = keras.layers.Dense(4)
        self.dense.build(input_shape["a"])

    def call(self, inputs: Any) -> Any:
        logits = self.dense(inputs["a"]) + self.dense(inputs["b"])
        return {"logits": logits, "index": ops.argmax(logits, axis=-1)}


@keras.saving.register_keras_serializable(package="test_life")
class Stepping(keras.Model):
    """Its loss calls the model at inference."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.drop = keras.layers.Dropout(0.5)
        self.dense = keras.layers.Dense(4)

    def build(self, input_shape: Any) -> None:
        self.dense.build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.dense(self.drop(inputs, training=training))

    def compute_loss(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        return ops.mean(ops.square(self(x, training=False) - y))


class Trained(Stepping):
    """The same, with Keras's loss."""

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        return keras.Model.compute_loss(self, *args, **kwargs)


class Parked(keras.layers.Layer):
    """Stores a tensor on itself between two methods."""

    def call(self, inputs: Any) -> Any:
        self.parked = ops.exp(-ops.abs(inputs))
        return self.finished()

    def finished(self) -> Any:
        return self.parked * 2


class Guarded(Parked):
    """Allows one call at a time."""

    lock: ClassVar[Any] = threading.RLock()

    def call(self, inputs: Any) -> Any:
        with self.lock:
            return super().call(inputs)


class Hoarding(keras.layers.Layer):
    """Keeps something from every call: the subclasses decide where."""

    def call(self, inputs: Any) -> Any:
        self.keep(inputs)
        return inputs * 2

    def keep(self, inputs: Any) -> None:
        raise NotImplementedError


class InModule(Hoarding):
    def keep(self, inputs: Any) -> None:
        KEPT.append(float(len(KEPT)))


class InClass(Hoarding):
    by_id: ClassVar[dict[int, Any]] = {}

    def keep(self, inputs: Any) -> None:
        self.by_id[len(self.by_id)] = inputs


class InCache(Hoarding):
    def keep(self, inputs: Any) -> None:
        cached(time.perf_counter())


class InSmallCache(Hoarding):
    """Keeps the last few."""

    def keep(self, inputs: Any) -> None:
        sized(time.perf_counter())


@functools.cache
def cached(now: float) -> float:
    return now


@functools.lru_cache(maxsize=4)
def sized(now: float) -> float:
    return now


class Looping(keras.layers.Layer):
    """Loops over its batch in Python."""

    def call(self, inputs: Any) -> Any:
        return ops.stack([inputs[i] * 2 for i in range(int(inputs.shape[0]))])

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class Branching(keras.layers.Layer):
    """Branches on its inputs, as it should be written."""

    def call(self, inputs: Any) -> Any:
        return ops.cond(ops.sum(inputs) > 0, lambda: inputs, lambda: -inputs)


def test_a_gradient_that_climbs() -> None:
    assert outcome(Climbing, "fit-lowers-loss").status == "failed"


@pytest.mark.parametrize("cls", [Gated, Noisy, Trained])
def test_slow_learners_pass(cls: Any) -> None:
    assert outcome(cls, "fit-lowers-loss").status == "passed"


def test_structures_are_fitted() -> None:
    case = {"a": (2, 8), "b": (2, 8)}
    assert outcome(Several, "fit-lowers-loss", input=case).status == "passed"


@pytest.mark.parametrize("name", ["Dropout", "Flatten"])
def test_nothing_to_train(name: str) -> None:
    args = {"rate": 0.5} if name == "Dropout" else {}
    found = outcome(getattr(keras.layers, name), "fit-lowers-loss", args=args)
    assert (found.status, found.reason) == ("not_applicable", "the layer has no trainable weights")


def test_a_loss_that_calls_the_model_at_inference() -> None:
    (finding,) = outcome(Stepping, "fit-trains-sublayers", input=(2, 8)).findings
    assert finding.got == "training=False"


def test_training_as_it_should_be() -> None:
    assert outcome(Trained, "fit-trains-sublayers", input=(2, 8)).status == "passed"


def test_a_tensor_parked_on_self() -> None:
    assert outcome(Parked, "threads-agree").status == "failed"


@pytest.mark.parametrize("cls", [Guarded, keras.layers.BatchNormalization])
def test_threads_that_agree(cls: Any) -> None:
    assert outcome(cls, "threads-agree").status == "passed"


@pytest.mark.parametrize("cls", [InModule, InClass, InCache])
def test_what_grows(cls: Any) -> None:
    assert outcome(cls, "no-growth").status == "failed"


@pytest.mark.parametrize("cls", [InSmallCache, keras.layers.BatchNormalization])
def test_what_does_not_grow(cls: Any) -> None:
    assert outcome(cls, "no-growth").status == "passed"


def test_a_loop_over_the_batch_in_python() -> None:
    # On Torch, what Keras exports is for one batch size
    status = "passed" if keras.backend.backend() == "torch" else "failed"
    assert outcome(Looping, "export").status == status


def test_a_branch_on_values_is_exported_where_the_backend_can() -> None:
    found = outcome(Branching, "export")
    assert found.status == ("not_applicable" if keras.backend.backend() == "torch" else "passed")


@pytest.mark.parametrize(
    ("name", "args"),
    [("LSTM", {"units": 3}), ("Dropout", {"rate": 0.5}), ("BatchNormalization", {})],
)
def test_layers_are_exported(name: str, args: Any) -> None:
    found = outcome(getattr(keras.layers, name), "export", args=args)
    assert found.status == "passed"


def test_structures_are_exported() -> None:
    case = {"a": (2, 8), "b": (2, 8)}
    assert outcome(Several, "export", input=case).status == "passed"
