"""What the source reveals about backends, beyond the examples of the pages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
from keras import backend, ops

from scaffold.conformance.api import check
from scaffold.conformance.finding import Finding, Outcome

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp
    import tensorflow as tf
    import torch
    from tensorflow import keras as tf_keras
    from tensorflow import math as tf_math


def outcome(cls: Any, check_id: str, **case: Any) -> Outcome:
    (found,) = check(cls, **{"input": (2, 6, 8), **case}, only=[check_id], raises=False)
    assert found.status != "blocked", found.reason
    return found


def got(cls: Any, check_id: str, **case: Any) -> list[str]:
    return [finding.got for finding in outcome(cls, check_id, **case).findings]


class OfTensorFlow(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return tf.nn.relu(inputs)


class OfItsSubmodule(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return tf_math.log(inputs)


class OfTorch(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        hidden = ops.abs(inputs)
        return torch.nn.functional.gelu(hidden)


class OfJax(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return self._activated(jnp.abs(inputs))

    def _activated(self, hidden: Any) -> Any:
        return jax.nn.silu(hidden)


class ImportedThere(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        import tensorflow.math as m

        return m.log(inputs)


def _swish(x: Any) -> Any:
    return x * tf.sigmoid(x)


class InAFunction(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return _swish(inputs)


class OfNumPy(keras.layers.Layer):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(4)

    def call(self, inputs: Any, training: Any = None) -> Any:
        hidden = self.dense(inputs)
        if training:
            hidden = np.maximum(hidden, 0.0)
        return hidden


class OfPythonsMath(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs / math.sqrt(ops.sum(ops.square(inputs)))


class ToNumPy(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return ops.convert_to_numpy(ops.abs(inputs))


class MethodOfTensors(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        query, _ = inputs
        return ops.square(query).permute(0, 2, 1)


class Inherited(OfNumPy):
    """What it inherits from a user's class counts as its own."""


class Statics(keras.layers.Layer):
    """NumPy and Python on shapes and constants."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        size = int(np.prod(inputs.shape[1:]))
        steps = ops.shape(inputs)[1]
        table = np.asarray([math.sin(i / math.pi) for i in range(steps)], dtype="float32")
        if steps > 3 and len(inputs.shape) == 3 and size:
            table = np.sqrt(np.abs(table))
        return inputs * ops.cast(np.reshape(table, (-1, 1)), inputs.dtype)


class Knowing(keras.layers.Layer):
    """Knows which backend it is on."""

    def call(self, inputs: Any) -> Any:
        if backend.backend() == "tensorflow":
            return tf.nn.relu(inputs)
        return ops.relu(inputs)


class Hiding(keras.layers.Layer):
    """A variable with the name of an import."""

    def call(self, inputs: Any) -> Any:
        torch = ops.abs(inputs)
        return torch.dtype and torch


class Tanh(keras.layers.Activation):
    """Keras's own `call`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("tanh", **kwargs)


class Truths(keras.layers.Layer):
    def build(self, input_shape: Any) -> None:
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        largest = ops.max(inputs)
        while largest > 100.0:
            largest = largest / 2.0
        assert not ops.any(ops.isnan(largest))
        first = inputs if self.count > 3 else inputs * 2.0
        if keras.random.uniform(()) > 2.0 or mask is not None:
            return -first
        return first if 0.0 < largest < 1e9 else inputs


class Numbers(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        peak = float(ops.max(inputs))
        for _ in range(int(self._half(inputs))):
            peak += len(inputs)
        return inputs + 0.0 * peak

    def _half(self, value: Any) -> Any:
        return ops.max(ops.abs(value)) / 2.0


class Loops(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        total = 0.0
        for item in inputs:
            total = total + ops.sum(item)
        first, second = ops.transpose(inputs[:2, 0])[:2]
        return inputs + 0.0 * (total + ops.sum(first + second) + max(inputs[0, 0, :2]))


class Sizes(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        places = ops.nonzero(inputs)
        return inputs + ops.sum(inputs[inputs > 0]) + 0.0 * len(places)


class Structures(keras.layers.Layer):
    """Lists of tensors may be counted and looped over; what is uncertain is not a finding."""

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        if len(inputs) != 2 or training:
            inputs = inputs[:2]
        outputs = []
        for i, tensor in enumerate(inputs):
            outputs.append(tensor * 2.0 if i > 0 else tensor)
        for part in ops.split(outputs[0], 2, axis=1):
            outputs.append(part)
        hidden, padding = self._padded(outputs[0])
        if padding > 0 and mask is None:
            hidden = hidden[:, padding:]
        best = None
        for part in outputs:
            if best is None:
                best = part
        return hidden + (best if best is not None else 0.0)

    def _padded(self, tensor: Any) -> Any:
        return tensor, tensor.shape[1] % 2


class Spectrum(keras.layers.Layer):
    """Unpacks the pair that an operation returns."""

    def call(self, inputs: Any) -> Any:
        real, _ = ops.fft2((inputs, ops.zeros_like(inputs)))
        return real


class Typed(keras.layers.Layer):
    """Checks the type of its inputs."""

    def call(self, inputs: Any) -> Any:
        if isinstance(inputs, list | tuple):
            return ops.add(*inputs) if len(inputs) > 1 else inputs[0]
        return inputs


class Named(keras.layers.Layer):
    """A dict of tensors: a loop over it gives strings."""

    def call(self, inputs: Any) -> Any:
        for name in inputs:
            if name > "b" and int(name == "c"):
                return inputs[name]
        return inputs["a"]


class TrainingOnly(keras.layers.Layer):
    def call(self, inputs: Any, training: Any = None) -> Any:
        if training:
            self.add_update(inputs)
            self.add_metric(inputs, "mean")
        return inputs

    def compute_output_signature(self, signature: Any) -> Any:
        return signature


class StaticList(keras.layers.Layer):
    def call(self, inputs: Any, training: Any = None) -> Any:
        return ops.reshape(inputs, inputs.shape.as_list()) if training else inputs


class OldPaths(keras.layers.Layer):
    def call(self, inputs: Any, training: Any = None) -> Any:
        if training:
            inputs = tf_keras.layers.ReLU()(inputs)
            inputs = keras.layers.experimental.Nothing()(inputs)
        return backend.epsilon() + backend.learning_phase() if training else inputs


class OwnName(keras.layers.Layer):
    """Its own method with the name of an old one."""

    def call(self, inputs: Any) -> Any:
        self.add_update(inputs)
        return inputs * keras.config.epsilon() + keras.backend.epsilon()

    def add_update(self, update: Any) -> None:
        return None


@pytest.mark.parametrize(
    ("cls", "names"),
    [
        (OfTensorFlow, ["`tf.nn.relu`"]),
        (OfItsSubmodule, ["`tf_math.log`"]),
        (OfTorch, ["`torch.nn.functional.gelu`"]),
        (OfJax, ["`jnp.abs`", "`jax.nn.silu`"]),
        (ImportedThere, ["`m.log`"]),
        (InAFunction, ["`tf.sigmoid`"]),
        (OfNumPy, ["`np.maximum(hidden, 0.0)`"]),
        (Inherited, ["`np.maximum(hidden, 0.0)`"]),
        (OfPythonsMath, ["`math.sqrt(ops.sum(ops.square(inputs)))`"]),
        (ToNumPy, ["`ops.convert_to_numpy(ops.abs(inputs))`"]),
    ],
)
def test_other_functions_are_found(cls: Any, names: list[str]) -> None:
    assert sorted(got(cls, "portable-ops")) == sorted(names)


def test_what_only_some_tensors_have_is_found() -> None:
    found = got(MethodOfTensors, "portable-ops", input=[(2, 6, 8), (2, 3)])
    assert found == ["`ops.square(query).permute`"]


@pytest.mark.parametrize("cls", [Statics, Knowing, Hiding])
def test_what_every_backend_has_passes(cls: Any) -> None:
    assert got(cls, "portable-ops") == []


def test_keras_own_call_is_not_judged() -> None:
    assert outcome(Tanh, "portable-ops").status == "not_applicable"


def lines(findings: tuple[Finding, ...]) -> dict[str, int]:
    return {finding.got: finding.where.line for finding in findings if finding.where}


@pytest.mark.parametrize(
    ("cls", "codes"),
    [
        (
            Truths,
            {
                "`largest > 100.0`",
                "`ops.any(ops.isnan(largest))`",
                "`self.count > 3`",
                "`keras.random.uniform(()) > 2.0`",
                "`0.0 < largest < 1000000000.0`",
            },
        ),
        (Numbers, {"`float(ops.max(inputs))`", "`int(self._half(inputs))`", "`len(inputs)`"}),
        (
            Loops,
            {"`inputs`", "`ops.transpose(inputs[:2, 0])[:2]`", "`max(inputs[0, 0, :2])`"},
        ),
        (Sizes, {"`ops.nonzero(inputs)`", "`inputs[inputs > 0]`"}),
    ],
)
def test_python_on_tensors_is_found(cls: Any, codes: set[str]) -> None:
    found = outcome(cls, "tensors-not-branched-on").findings
    assert set(lines(found)) == codes
    assert min(lines(found).values()) > cls.call.__code__.co_firstlineno


@pytest.mark.parametrize("cls", [Statics, Spectrum, Typed])
def test_python_on_what_is_known_passes(cls: Any) -> None:
    assert got(cls, "tensors-not-branched-on") == []


@pytest.mark.parametrize(
    ("cls", "given"),
    [(Structures, [(2, 6, 8), (2, 6, 8)]), (Named, {"a": (2, 3), "c": (2, 3)})],
)
def test_python_on_structures_passes(cls: Any, given: Any) -> None:
    assert got(cls, "tensors-not-branched-on", input=given) == []


@pytest.mark.parametrize(
    ("cls", "names"),
    [
        (
            TrainingOnly,
            {
                "`self.add_update`",
                "`self.add_metric`",
                "`compute_output_signature`, which is not called",
            },
        ),
        (StaticList, {"`inputs.shape.as_list`"}),
        (
            OldPaths,
            {
                "`tensorflow.keras.layers`",
                "`keras.layers.experimental`",
                "`keras.layers.experimental.Nothing`",
                "`keras.backend.learning_phase`",
            },
        ),
        (OwnName, set()),
        (Statics, set()),
    ],
)
def test_names_of_keras_2_are_found(cls: Any, names: set[str]) -> None:
    assert set(got(cls, "keras-2-names")) == names
