"""Batches and data formats, beyond the examples of the pages."""

from __future__ import annotations

from typing import Any

import keras
import pytest
from keras import ops

from scaffold.conformance.api import check
from scaffold.conformance.finding import Outcome

TORCH = keras.backend.backend() == "torch"


def outcome(cls: Any, check_id: str, **case: Any) -> Outcome:
    (found,) = check(cls, **{"input": (2, 6, 8), **case}, only=[check_id], raises=False)
    assert found.status != "blocked", found.reason
    return found


def got(cls: Any, check_id: str, **case: Any) -> list[str]:
    return [finding.got for finding in outcome(cls, check_id, **case).findings]


class KeptBatch(keras.layers.Layer):
    """Keeps the batch size of `build`: other batches become samples of another length."""

    def build(self, input_shape: Any) -> None:
        self.batch = input_shape[0]

    def call(self, inputs: Any) -> Any:
        return ops.reshape(inputs, (self.batch, -1))


class Gram(keras.layers.Layer):
    """A matrix of the channels: no batch axis, and as many rows as there are samples."""

    def call(self, inputs: Any) -> Any:
        return ops.matmul(ops.transpose(inputs), inputs)


class Windows(keras.layers.Layer):
    """Makes two samples of each."""

    def call(self, inputs: Any) -> Any:
        return ops.reshape(inputs, (-1, inputs.shape[1] // 2, inputs.shape[2]))


class SoftmaxOverBatch(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return ops.softmax(inputs, axis=0)


class Numbered(keras.layers.Layer):
    """Adds to each sample its index in the batch."""

    def call(self, inputs: Any) -> Any:
        indices = ops.arange(ops.shape(inputs)[0], dtype=inputs.dtype)
        return inputs + ops.reshape(indices, (-1, 1, 1))


class Folded(keras.layers.Layer):
    """A transpose and a reshape that mix batch and steps."""

    def call(self, inputs: Any) -> Any:
        turned = ops.transpose(inputs, (1, 0, 2))
        return ops.reshape(turned, (-1, inputs.shape[1], inputs.shape[2]))


class InPart(keras.layers.Layer):
    """Writes into one of the caller's tensors, by another name."""

    def call(self, inputs: Any) -> Any:
        first, _ = inputs
        part = first[:, 0]
        part += 1.0
        return part


class Rebound(keras.layers.Layer):
    """Writes into its own tensor, which has the name of the caller's."""

    def call(self, inputs: Any) -> Any:
        inputs = inputs * 2.0
        inputs += 1.0
        total = inputs
        total -= 1.0
        return total


class OwnPart(keras.layers.Layer):
    """Takes a copy by indices, and counts with a number."""

    def call(self, inputs: Any, offset: float = 1.0) -> Any:
        offset += 1.0
        picked = ops.take(inputs, [0, 1], axis=1)
        picked += offset
        return picked


class Cleared(keras.layers.Layer):
    """An assignment to a slice, which only Torch has."""

    def call(self, inputs: Any) -> Any:
        inputs[:, 0] = 0.0
        return inputs


class Block(keras.layers.Layer):
    """A convolution with a bias for each column of a `channels_first` image, and what follows."""

    def __init__(
        self, filters: int = 16, data_format: str = "channels_last", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format
        policy = {"dtype": self.dtype_policy}
        # On a CPU without oneDNN, TensorFlow computes it in both formats, unlike a `Conv2D`.
        self.conv = keras.layers.SeparableConv2D(
            filters, 3, padding="same", data_format=data_format, **policy
        )
        self.norm = keras.layers.BatchNormalization(axis=self.channels, **policy)

    @property
    def channels(self) -> int:
        return 1 if self.data_format == "channels_first" else -1

    def build(self, input_shape: Any) -> None:
        self.conv.build(input_shape)
        self.norm.build(self.conv.compute_output_shape(input_shape))

    def call(self, inputs: Any) -> Any:
        return self.norm(self.conv(inputs))


class WrongNorm(Block):
    """Normalizes the width of a `channels_first` image."""

    @property
    def channels(self) -> int:
        return -1


class WrongMean(Block):
    """Assumes that axes 1 and 2 are height and width."""

    def call(self, inputs: Any) -> Any:
        return ops.max(self.conv(inputs), axis=(1, 2))[:, :1]


class NotTurnedBack(Block):
    """Returns a `channels_last` image in both formats."""

    def call(self, inputs: Any) -> Any:
        outputs = super().call(inputs)
        first = self.data_format == "channels_first"
        return ops.transpose(outputs, (0, 2, 3, 1)) if first else outputs


class Pooled(Block):
    """A vector of the channels."""

    def call(self, inputs: Any) -> Any:
        axes = (2, 3) if self.data_format == "channels_first" else (1, 2)
        return ops.mean(super().call(inputs), axis=axes)


def test_a_kept_batch_size_is_found() -> None:
    assert got(KeptBatch, "any-batch-size") == ["(2, 24)"]


@pytest.mark.parametrize("cls", [Gram, Windows])
def test_a_first_axis_that_is_not_the_batch_passes(cls: Any) -> None:
    assert outcome(cls, "any-batch-size", input=(2, 2) if cls is Gram else (2, 6, 8)).findings == ()


def test_a_stateful_layer_keeps_its_batch() -> None:
    case = {"args": {"units": 3, "stateful": True}}
    found = outcome(keras.layers.GRU, "any-batch-size", **case)
    assert found.status == "not_applicable"


@pytest.mark.parametrize("cls", [SoftmaxOverBatch, Numbered, Folded])
def test_samples_that_mix_are_found(cls: Any) -> None:
    assert len(got(cls, "items-independent")) == 1


def test_samples_that_mix_on_purpose_are_expected() -> None:
    found = outcome(SoftmaxOverBatch, "items-independent", tags=["mixes-batch"])
    assert found.status == "expected"


@pytest.mark.parametrize("name", ["BatchNormalization", "Dropout", "GlobalAveragePooling1D"])
def test_layers_that_mix_samples_only_in_training_pass(name: str) -> None:
    args = {"rate": 0.5} if name == "Dropout" else {}
    layer = getattr(keras.layers, name)
    assert outcome(layer, "items-independent", args=args).status == "passed"


def test_masked_samples_are_independent() -> None:
    case = {"input": "2,6,8:mask", "args": {"units": 3}}
    assert outcome(keras.layers.LSTM, "items-independent", **case).status == "passed"


def test_a_write_under_another_name_is_found() -> None:
    found = got(InPart, "inputs-not-changed", input=[(2, 6, 8), (2, 3)])
    assert found == ["`part += 1.0`, in place on Torch"]


@pytest.mark.parametrize("cls", [Rebound, OwnPart])
def test_a_write_to_a_tensor_of_its_own_passes(cls: Any) -> None:
    assert outcome(cls, "inputs-not-changed").status == "passed"


@pytest.mark.skipif(not TORCH, reason="the other backends reject the assignment")
def test_a_write_to_a_part_is_found() -> None:
    assert got(Cleared, "inputs-not-changed") == ["input 0 changed"]


def test_a_norm_of_the_width_is_found() -> None:
    (found,) = got(WrongNorm, "data-format-equivalent", input=(2, 8, 8, 3))
    assert found.startswith("weights of shapes ")


@pytest.mark.parametrize("cls", [WrongMean, NotTurnedBack])
def test_other_values_or_axes_are_found(cls: Any) -> None:
    assert len(got(cls, "data-format-equivalent", input=(2, 8, 8, 3))) == 1


@pytest.mark.parametrize("cls", [Block, Pooled])
@pytest.mark.parametrize("shape", [(2, 8, 8, 3), (2, 6, 16, 3)])
def test_both_formats_pass(cls: Any, shape: tuple[int, ...]) -> None:
    assert outcome(cls, "data-format-equivalent", input=shape).status == "passed"


def test_axes_of_any_sizes_are_made_uneven() -> None:
    case = {"input": (2, 3, 2, 3, 4), "args": {"filters": 2, "kernel_size": 1}}
    assert outcome(keras.layers.Conv3D, "data-format-equivalent", **case).status == "passed"


def test_a_layer_without_a_format_has_none_to_compare() -> None:
    found = outcome(Gram, "data-format-equivalent", input=(2, 2))
    assert found.status == "not_applicable"
