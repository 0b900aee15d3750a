"""More ways in which `training` gets lost, and layers that handle it in their own way."""

# Keras has no types.
# mypy: disable-error-code="misc, no-any-return, no-untyped-call, no-untyped-def"

from __future__ import annotations

import functools
import inspect
from pathlib import Path
from typing import Any

import keras
import pytest
from keras import ops

from scaffold.conformance.api import check
from scaffold.conformance.finding import Finding

SHAPE = (4, 6, 8)
LINES = Path(__file__).read_text(encoding="utf-8").splitlines()


def findings(cls: Any, check_id: str, **case: Any) -> tuple[Finding, ...]:
    given = {"input": SHAPE, **case}
    (outcome,) = check(cls, only=[check_id], raises=False, **given)
    assert outcome.status in ("passed", "failed", "not_applicable"), outcome.reason
    return outcome.findings


def lines(found: tuple[Finding, ...]) -> list[str]:
    return [LINES[finding.where.line - 1].strip() for finding in found if finding.where]


class Block(keras.layers.Layer):
    """Has a normalization and a dropout."""

    def build(self, input_shape):
        self.norm = keras.layers.BatchNormalization()
        self.drop = keras.layers.Dropout(0.5)
        self.norm.build(input_shape)
        self.drop.build(input_shape)


class Handed(Block):
    def call(self, inputs, training=None):
        return self.drop(self.norm(inputs, training=training), training=training)


class LeftToKeras(Block):
    def call(self, inputs, training=None):
        return self.drop(self.norm(inputs))


class WithoutTheArgument(Block):
    def call(self, inputs):
        return self.drop(self.norm(inputs))


class OnlyInTraining(Block):
    def call(self, inputs, training=None):
        if not training:
            return inputs
        return self.drop(inputs, training=True)


class InALoop(keras.layers.Layer):
    def build(self, input_shape):
        self.drops = [keras.layers.Dropout(0.5) for _ in range(2)]

    def call(self, inputs, training=None):
        for drop in self.drops:
            inputs = drop(inputs, training=training)
        return inputs


class ConstantOfNoEffect(keras.layers.Layer):
    def build(self, input_shape):
        self.attention = keras.layers.MultiHeadAttention(2, 4)
        self.attention.build(input_shape, input_shape)

    def call(self, inputs, training=None):
        return self.attention(inputs, inputs, training=False)


class InnerBlock(keras.layers.Layer):
    def build(self, input_shape):
        self.block = Handed()
        self.block.build(input_shape)

    def call(self, inputs, training=None):
        return self.block(inputs, training=training)


class HandingModel(keras.Model):
    def build(self, input_shape):
        self.block = Handed()
        self.block.build(input_shape)

    def call(self, inputs, training=None):
        return self.block(inputs, training=training)


GOOD = [
    Handed,
    LeftToKeras,
    WithoutTheArgument,
    OnlyInTraining,
    InALoop,
    ConstantOfNoEffect,
    InnerBlock,
    HandingModel,
]


@pytest.mark.parametrize("cls", GOOD)
@pytest.mark.parametrize("check_id", ["training-argument", "training-reaches-sublayers"])
def test_correct_layers_pass(cls: Any, check_id: str) -> None:
    assert findings(cls, check_id) == ()


class FrozenStatistics(Block):
    def call(self, inputs, training=None):
        hidden = self.norm(inputs, training=False)  # the constant
        return self.drop(hidden)  # gets it too


def test_a_constant_is_found_and_what_it_leaves_to_siblings() -> None:
    norm, drop = findings(FrozenStatistics, "training-reaches-sublayers")
    assert lines((norm, drop)) == [
        "hidden = self.norm(inputs, training=False)  # the constant",
        "return self.drop(hidden)  # gets it too",
    ]
    line = norm.where.line if norm.where else 0
    assert drop.got == f"training=False, as passed to `self.norm` in line {line}"


class FrozenForGood(Block):
    def call(self, inputs, training=None):
        return self.drop(self.norm(inputs, training=False), training=training)


def test_a_declared_constant_is_expected() -> None:
    only, tags = ["training-reaches-sublayers"], ["fixed-training"]
    (outcome,) = check(FrozenForGood, input=SHAPE, only=only, tags=tags, raises=False)
    assert outcome.status == "expected"


class SecondOfTwo(keras.layers.Layer):
    def build(self, input_shape):
        self.drops = [keras.layers.Dropout(0.5) for _ in range(2)]

    def call(self, inputs, training=None):
        hidden = self.drops[0](inputs, training=training)
        return self.drops[1](
            hidden,
            training=not training,
        )


def test_a_sublayer_of_a_list_is_named() -> None:
    (found,) = findings(SecondOfTwo, "training-reaches-sublayers")
    assert found.expected == (
        "`self.drops[1]` to get training=True when the layer is called with training=True"
    )
    assert lines((found,)) == ["return self.drops[1]("]


class KeepingModel(keras.Model):
    def build(self, input_shape):
        self.block = Handed()
        self.block.build(input_shape)

    def call(self, inputs, training=None):
        return self.block(inputs)


def test_a_model_must_pass_it_on_for_jax() -> None:
    (found,) = findings(KeepingModel, "training-reaches-sublayers")
    assert found.expected == (
        "`self.block` to get training=True in `fit` on JAX, which doesn't pass it on by itself"
    )


class TrainsByDefault(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.crop = keras.layers.CenterCrop(4, 4)
        self.drop = keras.layers.Dropout(0.5)

    def call(self, inputs, training=None):
        return self.drop(self.crop(inputs))


def test_a_default_of_a_sublayer_reaches_the_next() -> None:
    found = findings(TrainsByDefault, "training-reaches-sublayers", input=(2, 6, 6, 3))
    assert [finding.expected for finding in found] == [
        "`self.drop` to get training=False when the layer is called without `training`"
    ]


class ModelWithoutTheArgument(keras.Model):
    def build(self, input_shape):
        self.drop = keras.layers.Dropout(0.5)

    def call(self, inputs):
        return self.drop(inputs)


class FromKwargs(Block):
    def call(self, inputs, **kwargs):
        training = kwargs.pop("training", False)
        return self.drop(inputs, training=training)


class InKwargs(Block):
    def call(self, inputs, **options):
        return self.drop(inputs, training="training" in options)


class OtherName(Block):
    def call(self, inputs, train=False):
        return inputs * 2 if train else inputs


def wrapped(call):
    @functools.wraps(call)
    def inner(self, *args, **kwargs):
        return call(self, *args, **kwargs)

    return inner


def unwrapped(call):
    def inner(self, inputs, **kwargs):
        return call(self, inputs, **kwargs)

    return inner


class Wrapped(Block):
    @wrapped
    def call(self, inputs, training=None):
        return self.drop(inputs, training=training)


class Unwrapped(Block):
    @unwrapped
    def call(self, inputs, training=None):
        return self.drop(inputs, training=training)


@pytest.mark.parametrize(
    ("cls", "got"),
    [
        (ModelWithoutTheArgument, "none, so `fit` runs `self.drop` in inference mode"),
        (FromKwargs, "a lookup in `**kwargs`, from which Keras removes it"),
        (InKwargs, "a lookup in `**kwargs`, from which Keras removes it"),
        (OtherName, "`train`, which Keras never fills"),
        (Unwrapped, "a decorator that shows Keras only `(self, inputs, **kwargs)`"),
    ],
)
def test_each_way_to_miss_the_argument(cls: Any, got: str) -> None:
    assert [finding.got for finding in findings(cls, "training-argument")] == [got]


def test_a_decorator_that_keeps_the_signature_is_fine() -> None:
    assert "training" in inspect.signature(Wrapped.call).parameters
    assert findings(Wrapped, "training-argument") == ()


class OtherKwargs(Block):
    def call(self, inputs, training=None, **kwargs):
        scale = kwargs.get("scale", 1.0)
        return ops.multiply(self.drop(inputs, training=training), scale)


def test_other_keywords_are_fine() -> None:
    assert findings(OtherKwargs, "training-argument") == ()
