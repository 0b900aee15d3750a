"""More ways in which masks get lost, and layers that handle them in their own way."""

# Keras has no types.
# mypy: disable-error-code="misc, no-any-return, no-untyped-call, no-untyped-def"

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from scaffold.cases import Case, Input
from scaffold.conformance.api import check
from scaffold.conformance.finding import Finding
from scaffold.conformance.instruments.masking import first_steps, outputs_of, padded, refilled
from scaffold.conformance.subject import Subject

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
IDS = ["mask-fits-output", "mask-reaches-sublayers", "padding-ignored"]
SEQUENCE = Input((2, 6, 8))
MASKED = Input((2, 6, 8), mask=True)


def findings(cls: Any, check_id: str, described: Any = SEQUENCE) -> tuple[Finding, ...]:
    (outcome,) = check(cls, input=described, only=[check_id], raises=False)
    assert outcome.status in ("passed", "failed", "not_applicable"), outcome.reason
    return outcome.findings


class Encoder(keras.layers.Layer):
    """Has a pooling layer and a normalization."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        self.norm = keras.layers.LayerNormalization()
        self.pool = keras.layers.GlobalAveragePooling1D()
        self.norm.build(input_shape)
        self.pool.build(input_shape)

    def compute_mask(self, inputs, mask=None):
        return None


class ThroughLayers(Encoder):
    def call(self, inputs):
        return self.pool(self.norm(inputs))


class HandedOn(Encoder):
    def call(self, inputs, mask=None):
        return self.pool(ops.tanh(inputs), mask=mask)


class NoRoomForIt(Encoder):
    """It takes no `mask`, but doesn't mix steps."""

    def call(self, inputs):
        return ops.tanh(self.norm(inputs))

    def compute_mask(self, inputs, mask=None):
        return mask


class OwnAttentionMask(keras.layers.Layer):
    """Applies the mask to the scores, and passes none to its softmax."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.softmax = keras.layers.Softmax()

    def call(self, inputs, mask=None):
        scores = ops.matmul(inputs, ops.swapaxes(inputs, 1, 2))
        if mask is not None:
            scores = ops.where(mask[:, None, :], scores, -1e4)
        return ops.matmul(self.softmax(scores), inputs)


class MaskForScores(keras.layers.Layer):
    """Its `mask` is not one of the steps, and it checks that."""

    def call(self, inputs, mask=None):
        if mask is not None and len(mask.shape) != 3:
            raise ValueError("`mask` must have the shape of the inputs")
        return inputs if mask is None else ops.where(mask, inputs, 0.0)


class LastValid(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return inputs[:, -1]
        last = ops.sum(ops.cast(mask, "int32"), axis=1) - 1
        chosen = ops.one_hot(last, inputs.shape[1], dtype=inputs.dtype)
        return ops.sum(inputs * chosen[:, :, None], axis=1)

    def compute_mask(self, inputs, mask=None):
        return None


class FixedLength(keras.layers.Layer):
    """Takes six steps, so that it can't be called without the padding."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        self.weight = self.add_weight(shape=(input_shape[1], 1))

    def call(self, inputs, mask=None):
        if mask is not None:
            inputs = ops.where(mask[:, :, None], inputs, 0.0)
        return ops.sum(inputs * self.weight, axis=1)

    def compute_mask(self, inputs, mask=None):
        return None


class NoisyAlways(keras.layers.Layer):
    """Differs from call to call, whatever is in the padding."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs, mask=None):
        return inputs + keras.random.normal(ops.shape(inputs), seed=self.seed_generator)


class Image(keras.layers.Layer):
    """Nobody would give it a mask of the rows of an image."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        return inputs[:, ::2, ::2]


GOOD = [
    (ThroughLayers, SEQUENCE),
    (ThroughLayers, MASKED),
    (HandedOn, SEQUENCE),
    (NoRoomForIt, SEQUENCE),
    (OwnAttentionMask, SEQUENCE),
    (MaskForScores, SEQUENCE),
    (LastValid, SEQUENCE),
    (FixedLength, SEQUENCE),
    (NoisyAlways, SEQUENCE),
    (Image, Input((2, 6, 8, 3))),
]


@pytest.mark.parametrize(("cls", "described"), GOOD)
@pytest.mark.parametrize("check_id", IDS)
def test_correct_layers_pass(cls: Any, described: Input, check_id: str) -> None:
    assert findings(cls, check_id, described) == ()


class Half(keras.layers.Layer):
    """Two outputs, of which the second has fewer steps than its mask."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        return ops.tanh(inputs), inputs[:, ::2]

    def compute_mask(self, inputs, mask=None):
        return mask, mask


class NonZero(keras.layers.Layer):
    """Makes its own mask, of the wrong rank."""

    def call(self, inputs):
        return ops.expand_dims(ops.tanh(inputs), 1)

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs[..., 0], 0.0)

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True


@pytest.mark.parametrize(
    ("cls", "got"), [(Half, "a mask of shape (2, 6)"), (NonZero, "a mask of shape (2, 6)")]
)
def test_a_mask_of_another_shape(cls: Any, got: str) -> None:
    assert [finding.got for finding in findings(cls, "mask-fits-output")] == [got]


class MaskUnused(Encoder):
    def call(self, inputs, mask=None):
        return self.pool(inputs * 2.0)


class LostBetween(Encoder):
    def call(self, inputs):
        return self.pool(ops.relu(self.norm(inputs)))


class InnerAttention(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        self.attention = keras.layers.MultiHeadAttention(2, 4)
        self.attention.build(input_shape, input_shape)

    def call(self, inputs, mask=None):
        scaled = inputs * 0.5
        return self.attention(scaled, scaled)


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (MaskUnused, "self.pool"),
        (LostBetween, "self.pool"),
        (InnerAttention, "self.attention"),
    ],
)
def test_a_sublayer_without_the_mask(cls: Any, name: str) -> None:
    (found,) = findings(cls, "mask-reaches-sublayers")
    assert found.expected == f"`{name}` to get the mask of the 6 steps"


class Smoothed(keras.layers.Layer):
    """Each step depends on the one after it, padding or not."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        return inputs + ops.roll(inputs, -1, axis=1)


class Largest(keras.layers.Layer):
    def call(self, inputs, mask=None):
        return ops.max(inputs, axis=1)


@pytest.mark.parametrize("cls", [Smoothed, Largest])
def test_padding_that_counts(cls: Any) -> None:
    (found,) = findings(cls, "padding-ignored")
    assert found.expected == "the same outputs whatever is in the padded steps"


def test_only_padded_steps_are_refilled() -> None:
    subject = padded(Subject(HandedOn, Case(inputs=SEQUENCE)))
    steps = first_steps(subject)
    one, other = subject.data().inputs, refilled(subject, 1).inputs
    np.testing.assert_array_equal(one[steps], other[steps])
    assert not np.isclose(one[~steps], other[~steps]).any()
    assert all(output.fits for output in outputs_of(subject, subject.shared))
