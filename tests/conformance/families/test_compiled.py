"""More that Python does in `call`, and what does no harm."""

# Keras has no types.
# mypy: disable-error-code="misc, no-any-return, no-untyped-call, no-untyped-def"

from __future__ import annotations

import functools
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from scaffold.cases import Case, Input
from scaffold.conformance.api import check
from scaffold.conformance.finding import Finding
from scaffold.conformance.instruments.compilation import compiled
from scaffold.conformance.subject import Subject, arrays

SHAPE = (4, 6, 8)
LINES = Path(__file__).read_text(encoding="utf-8").splitlines()
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
IDS = ["no-side-effects", "compiled-equals-eager", "nothing-leaks"]


def findings(cls: Any, check_id: str) -> tuple[Finding, ...]:
    (outcome,) = check(cls, input=SHAPE, only=[check_id], raises=False)
    assert outcome.status in ("passed", "failed"), outcome.reason
    return outcome.findings


def lines(found: tuple[Finding, ...]) -> list[str]:
    return [LINES[finding.where.line - 1].strip() for finding in found if finding.where]


class Running(keras.layers.Layer):
    """Keeps a mean in a weight, and draws noise."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape):
        self.mean = self.add_weight(shape=input_shape[-1:], trainable=False)

    def call(self, inputs, training=None):
        if not training:
            return inputs - self.mean
        self.mean.assign(0.9 * self.mean + 0.1 * ops.mean(inputs, axis=(0, 1)))
        return inputs + keras.random.normal(ops.shape(inputs), seed=self.seed_generator)


class MadeOnceOfNumpy(keras.layers.Layer):
    """Keeps what its first call computed, as a NumPy array."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.table = None

    def call(self, inputs):
        if self.table is None:
            self.table = np.arange(inputs.shape[-1], dtype="float32")
        return inputs + self.table


class WithMask(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        self.pool = keras.layers.GlobalAveragePooling1D()
        self.pool.build(input_shape)

    def call(self, inputs, mask=None):
        return self.pool(inputs, mask=mask)

    def compute_mask(self, inputs, mask=None):
        return None


@pytest.mark.parametrize("cls", [Running, MadeOnceOfNumpy, WithMask])
@pytest.mark.parametrize("check_id", IDS)
def test_correct_layers_pass(cls: Any, check_id: str) -> None:
    assert findings(cls, check_id) == ()


class Counter(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.calls = 0

    def call(self, inputs):
        self.calls += 1  # here
        return inputs


class CounterOfTheClass(keras.layers.Layer):
    calls = 0

    def call(self, inputs):
        type(self).calls += 1  # here
        return inputs


class Log(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.shapes = []

    def call(self, inputs):
        self.shapes.append(tuple(inputs.shape))  # here
        return inputs


class LastOnes(keras.layers.Layer):
    """A queue that is full is as long after a call as before."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.last: deque[Any] = deque(maxlen=2)

    def call(self, inputs):
        self.last.append(inputs)  # here
        return inputs


class Statistics(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seen = {"calls": 0}

    def call(self, inputs):
        self.seen["calls"] += 1  # here
        return inputs


class InPlace(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.calls = np.zeros(1)

    def call(self, inputs):
        self.calls[0] += 1  # here
        return inputs


class InANamespace(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.state = SimpleNamespace(calls=0)

    def call(self, inputs):
        self.state.calls += 1  # here
        return inputs


class InASublayer(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.counter = Counter()

    def call(self, inputs):
        return self.counter(inputs)


class KeepsOutputs(keras.layers.Layer):
    def call(self, inputs):
        self.outputs = inputs * 2  # here
        return self.outputs


@pytest.mark.parametrize(
    "cls",
    [
        Counter,
        CounterOfTheClass,
        Log,
        LastOnes,
        Statistics,
        InPlace,
        InANamespace,
        InASublayer,
        KeepsOutputs,
    ],
)
def test_each_attribute_that_a_call_changes(cls: Any) -> None:
    (line,) = lines(findings(cls, "no-side-effects"))
    assert line.endswith("# here")


def test_what_changed_is_said() -> None:
    (found,) = findings(Counter, "no-side-effects")
    assert (found.expected, found.got) == ("`self.calls` to stay 2 over two calls", "4")


class CachedTable(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.table = None

    def call(self, inputs):
        if self.table is None:
            self.table = ops.arange(inputs.shape[-1], dtype=inputs.dtype)
        return inputs + self.table


class CachedInADict(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.tables = {}

    def call(self, inputs):
        width = inputs.shape[-1]
        if width not in self.tables:
            self.tables[width] = ops.arange(width, dtype=inputs.dtype)
        return inputs + self.tables[width]


class CachedByMethod(keras.layers.Layer):
    @functools.cache  # noqa: B019 - the fault
    def table(self, width):
        return ops.arange(width, dtype=self.compute_dtype)

    def call(self, inputs):
        return inputs + self.table(inputs.shape[-1])


@pytest.mark.parametrize("cls", [CachedTable, CachedInADict, CachedByMethod])
def test_each_cache_that_keeps_a_symbol(cls: Any) -> None:
    assert len(findings(cls, "nothing-leaks")) == 1


class Schedule(keras.layers.Layer):
    """The state of an iterator can't be seen."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scales = iter(range(1, 1000))

    def call(self, inputs, training=None):
        return inputs * next(self.scales) if training else inputs


def test_an_iterator_stands_still() -> None:
    assert len(findings(Schedule, "compiled-equals-eager")) == 1


@pytest.mark.parametrize("described", [Input((2, 6, 8)), Input((2, 6, 8), mask=True)])
def test_compiled_calls_go_on_from_the_state(described: Input) -> None:
    subject = Subject(WithMaskAndState, Case(inputs=described))
    layer = subject.build()
    data = subject.data()
    run = compiled(lambda given: subject.call(layer, given, training=True), data, layer)
    counts = [int(arrays(run(data))[0]) for _ in range(3)]
    assert counts == [1, 2, 3]
    assert int(layer.calls.numpy()) == 3
    assert layer.had_mask == described.mask


class WithMaskAndState(keras.layers.Layer):
    had_mask = False

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        self.calls = self.add_weight(initializer="zeros", trainable=False, dtype="int32")

    def call(self, inputs, training=None, mask=None):
        self.had_mask = mask is not None
        if training:
            self.calls.assign(self.calls + 1)
        return self.calls + 0

    def compute_mask(self, inputs, mask=None):
        return None


@pytest.mark.parametrize(("cls", "status"), [(Schedule, "expected"), (Running, "not_applicable")])
def test_what_some_backend_cannot_compile_is_declared(cls: Any, status: str) -> None:
    only, tags = ["compiled-equals-eager"], ["not-compilable"]
    (outcome,) = check(cls, input=SHAPE, only=only, tags=tags, raises=False)
    assert outcome.status == status
