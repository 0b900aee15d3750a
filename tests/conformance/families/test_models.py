"""Models that build, nest, compile and train, beyond the examples of the pages."""

# Keras has no types.
# mypy: disable-error-code="misc, no-any-return, no-untyped-call"

from __future__ import annotations

from typing import Any

import keras
import pytest
from keras import ops

from conformance.one_check import outcome

ALL = (
    "model-builds-without-data",
    "model-summary",
    "model-nested",
    "model-compile-round-trip",
    "model-train-step",
)


@keras.saving.register_keras_serializable(package="test_models")
class Clean(keras.Model):
    """A model as it should be."""

    def __init__(self, units: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.hidden = keras.layers.Dense(8, "relu", dtype=self.dtype_policy)
        self.norm = keras.layers.BatchNormalization(dtype=self.dtype_policy)
        self.drop = keras.layers.Dropout(0.2, dtype=self.dtype_policy)
        self.head = keras.layers.Dense(units, dtype=self.dtype_policy)

    def build(self, input_shape: Any) -> None:
        self.hidden.build(input_shape)
        self.norm.build((*input_shape[:-1], 8))
        self.drop.build((*input_shape[:-1], 8))
        self.head.build((*input_shape[:-1], 8))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        hidden = self.norm(self.hidden(inputs), training=training)
        return self.head(self.drop(hidden, training=training))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="test_models")
class OfFunctional(keras.Model):
    """A Functional model as a class."""

    def __init__(self, units: int = 4, **kwargs: Any) -> None:
        inputs = keras.Input((6, 8))
        hidden = keras.layers.Dense(3, name="hidden")(inputs)
        super().__init__(inputs, keras.layers.Dense(units, name="head")(hidden), **kwargs)
        self.units = units

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "trainable": self.trainable, "units": self.units}


@keras.saving.register_keras_serializable(package="test_models")
class Distilled(Clean):
    """Compiles with more than Keras's arguments, and saves them."""

    def compile(self, alpha: float = 0.1, **kwargs: Any) -> None:
        super().compile(**kwargs)
        self.told = {"alpha": alpha, **kwargs}

    def get_compile_config(self) -> Any:
        return keras.saving.serialize_keras_object(dict(self.told)) if self.compiled else None

    def compile_from_config(self, config: Any) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)


@keras.saving.register_keras_serializable(package="test_models")
class NewOptimizer(Distilled):
    """Loads with a new optimizer."""

    def compile_from_config(self, config: Any) -> None:
        super().compile_from_config(config)
        self.optimizer = keras.optimizers.Adam()
        self.optimizer.build(self.trainable_variables)


@keras.saving.register_keras_serializable(package="test_models")
class ByBatch(Clean):
    """Reads the batch size in `build`."""

    def build(self, input_shape: Any) -> None:
        super().build((int(input_shape[0]), *input_shape[1:]))


@keras.saving.register_keras_serializable(package="test_models")
class Larger(Clean):
    """Leaves out its head in `build`."""

    def build(self, input_shape: Any) -> None:
        self.hidden.build(input_shape)
        self.norm.build((*input_shape[:-1], 8))
        self.drop.build((*input_shape[:-1], 8))


@keras.saving.register_keras_serializable(package="test_models")
class OwnLoss(Clean):
    """Adds up its losses itself."""

    def compute_loss(self, x: Any, y: Any, y_pred: Any, *_: Any, **__: Any) -> Any:
        return ops.mean(ops.abs(y - y_pred)) + sum(self.losses)


@keras.saving.register_keras_serializable(package="test_models")
class TwoOutputs(Clean):
    """A tuple of outputs, and so of losses, which a file keeps as a list."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        outputs = super().call(inputs, training=training)
        return outputs, 2 * outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (super().compute_output_shape(input_shape),) * 2


@keras.saving.register_keras_serializable(package="test_models")
class TwoOptimizers(Clean):
    """Compiles with two optimizers."""

    def compile(self, first: Any, second: Any) -> None:
        super().compile(optimizer=first)
        self.second = second


@pytest.mark.parametrize("check_id", ALL)
@pytest.mark.parametrize("cls", [Clean, OfFunctional])
def test_clean_models(cls: Any, check_id: str) -> None:
    expected = "not_applicable" if check_id == "model-train-step" else "passed"
    assert outcome(cls, check_id).status == expected


def test_a_batch_that_build_reads() -> None:
    assert outcome(ByBatch, "model-builds-without-data").status == "failed"


def test_a_part_that_build_leaves_out() -> None:
    (finding,) = outcome(Larger, "model-builds-without-data").findings
    assert (finding.expected, finding.got) == ("8 weights after `build`", "6")


def test_a_loss_that_adds_up_all() -> None:
    assert outcome(OwnLoss, "model-train-step").status == "passed"


def test_a_compile_config_that_is_saved() -> None:
    assert outcome(Distilled, "model-compile-round-trip").status == "passed"


def test_losses_of_several_outputs() -> None:
    assert outcome(TwoOutputs, "model-compile-round-trip").status == "passed"


def test_an_optimizer_that_starts_over() -> None:
    found = outcome(NewOptimizer, "model-compile-round-trip")
    assert [finding.expected for finding in found.findings] == [
        "the optimizer state to be restored",
        "the optimizer SGD to be restored",
    ]


def test_a_compile_with_other_arguments() -> None:
    found = outcome(TwoOptimizers, "model-compile-round-trip")
    assert found.status == "not_applicable"
    assert found.reason.startswith("its `compile` takes other arguments: ")
