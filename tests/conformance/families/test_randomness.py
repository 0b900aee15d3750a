"""More sources of noise that never changes, and layers that draw correctly."""

# Keras has no types.
# mypy: disable-error-code="misc, no-any-return, no-untyped-call, no-untyped-def, override"

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from scaffold.conformance.api import check
from scaffold.conformance.finding import Finding
from scaffold.conformance.instruments.draws import drawn

SHAPE = (4, 6, 8)
LINES = Path(__file__).read_text(encoding="utf-8").splitlines()
IDS = ["no-untracked-randomness", "random-in-training", "seed-repeats", "inference-repeats"]
UNTRACKED = "a SeedGenerator that the layer tracks"
ALL_SHARE = keras.random.SeedGenerator(3)


def findings(cls: Any, check_id: str) -> tuple[Finding, ...]:
    (outcome,) = check(cls, input=SHAPE, only=[check_id], raises=False)
    assert outcome.status in ("passed", "failed", "not_applicable"), outcome.reason
    return outcome.findings


def lines(found: tuple[Finding, ...]) -> list[str]:
    return [LINES[finding.where.line - 1].strip() for finding in found if finding.where]


class Noise(keras.layers.Layer):
    """Adds noise in training."""

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def noise(self, inputs):
        return keras.random.normal(ops.shape(inputs), seed=self.seed_generator)

    def call(self, inputs, training=None):
        return inputs + self.noise(inputs) if training else inputs


class RarelyDrops(Noise):
    """Most of its calls add nothing, so that they are equal by chance."""

    def noise(self, inputs):
        return ops.round(keras.random.uniform((), 0.0, 0.51, seed=self.seed_generator))


class NoRate(Noise):
    """Has a generator that it doesn't need."""

    def call(self, inputs, training=None):
        return inputs


class FixedProjection(Noise):
    """Draws one constant, in training and at inference."""

    def call(self, inputs, training=None):
        basis = keras.random.normal((inputs.shape[-1], 4), seed=11)
        return ops.matmul(inputs, basis)


class RandomStart(Noise):
    """Uses NumPy only for its initial values."""

    def build(self, input_shape):
        start = np.random.default_rng(0).normal(size=input_shape[-1:])
        self.gain = self.add_weight(shape=input_shape[-1:])
        self.gain.assign(start)

    def call(self, inputs):
        return inputs * self.gain


class TwoSublayers(keras.layers.Layer):
    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        other = None if seed is None else seed + 1
        self.first = keras.layers.Dropout(0.5, seed=seed)
        self.second = keras.layers.GaussianNoise(0.5, seed=other)

    def call(self, inputs, training=None):
        return self.second(self.first(inputs, training=training), training=training)


class Centered(keras.layers.Layer):
    """Has state, a generator and different outputs in training, and draws nothing."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape):
        self.mean = self.add_weight(shape=input_shape[-1:], initializer="zeros", trainable=False)

    def call(self, inputs, training=None):
        if not training:
            return inputs - self.mean
        mean = ops.mean(inputs, axis=(0, 1))
        self.mean.assign(0.9 * self.mean + 0.1 * mean)
        return inputs - mean


GOOD = [
    Noise,
    RarelyDrops,
    NoRate,
    FixedProjection,
    RandomStart,
    TwoSublayers,
    Centered,
    keras.layers.Dropout,
]
ARGS = {keras.layers.Dropout: {"rate": 0.5}}


@pytest.mark.parametrize("cls", GOOD)
def test_correct_layers_pass(cls: Any) -> None:
    outcomes = check(cls, args=ARGS.get(cls, {}), input=SHAPE, only=IDS, raises=False)
    assert [outcome.findings for outcome in outcomes if outcome.findings] == []


class FromNumpy(Noise):
    def noise(self, inputs):
        return np.random.normal(size=8).astype("float32")  # np.random


class FromRandom(Noise):
    def noise(self, inputs):
        return random.gauss(0.0, 1.0)  # random


class FromOwnGenerator(Noise):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.rng = np.random.default_rng(0)

    def noise(self, inputs):
        return self.rng.normal(size=8).astype("float32")  # self.rng


class FromOwnRandom(Noise):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.tools = SimpleNamespace(rng=random.Random(0))

    def noise(self, inputs):
        return self.tools.rng.random()  # self.tools.rng


class FromNewGenerator(Noise):
    def noise(self, inputs):
        rng = np.random.default_rng(1)  # NumPy's `default_rng()`
        return rng.normal(size=8).astype("float32")


@pytest.mark.parametrize(
    "cls", [FromNumpy, FromRandom, FromOwnGenerator, FromOwnRandom, FromNewGenerator]
)
def test_numbers_from_outside_keras(cls: Any) -> None:
    (found,) = findings(cls, "no-untracked-randomness")
    (line,) = lines((found,))
    assert found.expected == UNTRACKED
    assert found.got.strip("`") == line.partition("# ")[2].strip("`")


class WithoutSeed(Noise):
    def noise(self, inputs):
        return keras.random.normal(ops.shape(inputs))


class WithNumber(Noise):
    def noise(self, inputs):
        return keras.random.normal(ops.shape(inputs), seed=5)


class WithSharedGenerator(Noise):
    def noise(self, inputs):
        return keras.random.normal(ops.shape(inputs), seed=ALL_SHARE)


@pytest.mark.parametrize(
    ("cls", "got"),
    [
        (WithoutSeed, "`seed=None`, the global generator, which JAX can't compile"),
        (WithNumber, "the seed 5, which gives the same numbers in each step"),
        (WithSharedGenerator, "an untracked one, constant once JAX compiles it"),
    ],
)
def test_draws_that_do_not_last(cls: Any, got: str) -> None:
    (found,) = findings(cls, "no-untracked-randomness")
    assert found.got == got
    assert lines((found,))[0].startswith("return keras.random.normal(")


class OneSeedForTwo(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = keras.layers.Dropout(0.5, seed=3)
        self.second = keras.layers.Dropout(0.5, seed=3)

    def call(self, inputs, training=None):
        hidden = self.first(inputs, training=training)
        return hidden * self.second(inputs, training=training)


class DrawnInBuild(Noise):
    def build(self, input_shape):
        self.kept = self.add_weight(shape=input_shape[-1:], trainable=False)
        self.kept.assign(keras.random.normal(input_shape[-1:], seed=self.seed_generator))

    def call(self, inputs, training=None):
        return inputs * self.kept if training else inputs


@pytest.mark.parametrize(
    ("cls", "line"),
    [
        (OneSeedForTwo, "return hidden * self.second(inputs, training=training)"),
        (DrawnInBuild, "def build(self, input_shape):"),
    ],
)
def test_noise_that_is_always_the_same(cls: Any, line: str) -> None:
    assert lines(findings(cls, "random-in-training")) == [line]


class SeedOfItsOwn(Noise):
    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(1337)


class SeedKeptFromSublayer(keras.layers.Layer):
    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.drop = keras.layers.Dropout(0.5)

    def call(self, inputs, training=None):
        return self.drop(inputs, training=training)


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        (SeedOfItsOwn, "different numbers with seed=8 than with seed=7"),
        (SeedKeptFromSublayer, "the same numbers from two layers with seed=7"),
    ],
)
def test_a_seed_that_is_not_used(cls: Any, expected: str) -> None:
    assert [finding.expected for finding in findings(cls, "seed-repeats")] == [expected]


class RarelyNoisy(Noise):
    """Few of its calls differ from the first."""

    def call(self, inputs):
        return inputs * ops.round(keras.random.uniform((4, 1, 1), seed=self.seed_generator))


def test_noise_at_inference() -> None:
    assert len(findings(RarelyNoisy, "inference-repeats")) == 1
    only, tags = ["inference-repeats"], ["random-at-inference"]
    (outcome,) = check(RarelyNoisy, input=SHAPE, only=only, tags=tags, raises=False)
    assert outcome.status == "expected"


def test_a_record_leaves_nothing_behind() -> None:
    method = keras.random.SeedGenerator.next
    generator = keras.random.SeedGenerator(1)
    with drawn(frozenset()) as draws:
        keras.random.uniform((1,), seed=generator)
        keras.random.uniform((1,), seed=4)
        keras.random.uniform((1,))
    keras.random.uniform((1,), seed=generator)
    assert [draw.seed for draw in draws] == [generator, 4, None]
    assert keras.random.SeedGenerator.next is method
