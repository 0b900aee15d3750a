"""Batches: any size, independent samples, any data format, inputs left unchanged."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from scaffold.cases import inputs_of
from scaffold.conformance.finding import Finding
from scaffold.conformance.instruments.formats import Formats
from scaffold.conformance.instruments.inplace import writes
from scaffold.conformance.lazy import keras, np
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.subject import Data, Subject, differ


@register(tag="fixed-batch")
def any_batch_size(subject: Subject) -> Iterator[Finding]:
    """A built layer accepts batches of any size, including a single sample.

    The last batch of an epoch is often smaller than the others, and predictions are often made for
    a single sample. A batch size kept from `build` silently turns 4 samples into 2 longer ones,
    and `ops.squeeze` without an axis drops the batch axis of a single sample.

    Fix: use `-1` for the batch size in `ops.reshape`, pass `axis` to `ops.squeeze`, and don't
    store `input_shape[0]`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class StepMeans(keras.layers.Layer):
              def call(self, inputs):
        -         return ops.squeeze(ops.mean(inputs, axis=2, keepdims=True))
        +         return ops.squeeze(ops.mean(inputs, axis=2, keepdims=True), axis=2)

              def compute_output_shape(self, input_shape):
                  return input_shape[:-1]
    """
    if getattr(subject.shared, "stateful", False):
        raise NotApplicable("it keeps state for each sample of a batch")
    shapes = _shapes(subject, subject.data())
    sizes = (1, subject.all_inputs[0].shape[0] + 1)
    others = [_shapes(subject, subject.data(size)) for size in sizes]
    for shape, *found in zip(shapes, *others, strict=True):
        wanted = [_scaled(subject, shape, size) for size in sizes]
        if found not in (wanted, [shape, shape]):
            where = subject.source.where("call")
            size, want, got = next(
                t for t in zip(sizes, wanted, found, strict=True) if t[1] != t[2]
            )
            yield Finding(f"shape {want} for a batch of {size}", f"{got}", where)


def _shapes(subject: Subject, data: Data) -> list[tuple[int, ...]]:
    return [array.shape for array in subject.outputs(subject.shared, data)]


def _scaled(subject: Subject, shape: tuple[int, ...], size: int) -> tuple[int, ...]:
    """Return the shape of an output for a different batch size."""
    batch = subject.all_inputs[0].shape[0]
    if not shape or shape[0] % batch:
        return shape
    return (shape[0] // batch * size, *shape[1:])


@register(needs=("any-batch-size",), tag="mixes-batch")
def items_independent(subject: Subject) -> Iterator[Finding]:
    """At inference, the output for a sample does not depend on the rest of its batch.

    A mean, a maximum or a softmax over axis 0, or a reshape that folds the batch into another
    axis, mixes unrelated samples. Metrics then look good at the batch size tested, and the
    prediction for a single sample is wrong.

    Fix: leave axis 0 out of every reduction, reshape and transpose.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Centre(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def call(self, inputs):
        -         return inputs - ops.mean(inputs, axis=0, keepdims=True)
        +         return inputs - ops.mean(inputs, axis=-1, keepdims=True)

              def compute_output_shape(self, input_shape):
                  return input_shape
    """
    if getattr(subject.shared, "stateful", False):
        raise NotApplicable("it keeps state for each sample of a batch")
    data = subject.data(3)
    outputs = _by_sample(subject, data)
    if not outputs:
        raise NotApplicable("no output has the batch as its first axis")
    if differ(outputs, _by_sample(subject, data)):
        raise NotApplicable("two calls on the same data give different outputs")
    where = subject.source.where("call")
    others = _with_first(subject.data(3, seed=1), data, 0)
    if gap := _gap(outputs, 0, _by_sample(subject, others), 0):
        yield Finding("the same output for sample 0 whatever samples 1 and 2 are", gap, where)
    elif gap := _gap(outputs, 0, _by_sample(subject, _with_first(others, data, 2)), 2):
        yield Finding("the same output for a sample at index 0 and at index 2", gap, where)


def _by_sample(subject: Subject, data: Data) -> list[Any]:
    outputs = subject.outputs(subject.shared, data)
    return [output for output in outputs if output.shape[:1] == (3,)]


def _with_first(others: Data, data: Data, index: int) -> Data:
    """Return `others` with sample 0 of `data` at this index."""
    firsts = dict(zip(map(id, others.tensors()), data.tensors(), strict=True))

    def placed(array: Any) -> Any:
        changed = np.array(array)
        changed[index] = firsts[id(array)][0]
        return changed

    return others.map(placed)


def _gap(outputs: list[Any], index: int, others: list[Any], other: int) -> str:
    return differ([output[index] for output in outputs], [output[other] for output in others])


@register()
def inputs_not_changed(subject: Subject) -> Iterator[Finding]:
    """A call leaves its inputs unchanged.

    On Torch, `x += 1` and `x[:, 0] = 0` write into the tensor that the caller still holds. A
    residual connection around the layer then adds the changed inputs, and the same code gives
    different numbers than on TensorFlow and JAX, where `x += 1` creates a new tensor.

    Fix: write `x = x + 1`; to change a part, use `ops.slice_update` or `ops.where`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Shift(keras.layers.Layer):
              def __init__(self, offset=1.0, **kwargs):
                  super().__init__(**kwargs)
                  self.offset = offset
                  self.supports_masking = True

              def call(self, inputs):
        -         inputs += self.offset
        -         return inputs
        +         return inputs + self.offset

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "offset": self.offset}
    """
    method = subject.source.method("call")
    found = list(writes(method, _tensor_arguments(subject))) if method else []
    for statement in found:
        name = getattr(statement.target, "id", "")
        where = subject.source.at(statement)
        yield Finding(
            f"`{name}` left unchanged", f"`{ast.unparse(statement)}`, in place on Torch", where
        )
    has_texts = any(described.dtype == "string" for described in subject.all_inputs)
    if not found and not has_texts and subject.backend == "torch":
        yield from _changed(subject)


def _tensor_arguments(subject: Subject) -> list[str]:
    further = [name for name, value in subject.case.call.items() if inputs_of(value)]
    return [next(iter(subject.call_parameters)), *further]


def _changed(subject: Subject) -> Iterator[Finding]:
    """Yield a finding if a call changes the tensors that it gets."""
    for training in (False, True):
        given = subject.data().map(keras.ops.convert_to_tensor)
        before = [np.array(keras.ops.convert_to_numpy(tensor)) for tensor in given.tensors()]
        subject.call(subject.build(), given, training)
        after = [keras.ops.convert_to_numpy(tensor) for tensor in given.tensors()]
        changed = [i for i in range(len(before)) if not np.array_equal(before[i], after[i])]
        if changed:
            where = subject.source.where("call")
            yield Finding("unchanged inputs", f"input {changed[0]} changed", where)
            return


@register(needs=("any-batch-size",))
def data_format_equivalent(subject: Subject) -> Iterator[Finding]:
    """`data_format="channels_first"` gives the same outputs, transposed.

    A normalization over the last axis, an `axis=-1` or a `shape[1:3]` that ignores the format
    treats the width as the channels. On square images even the shapes fit, and only the accuracy
    shows it.

    Fix: derive every axis from `self.data_format`, and pass the format to each sub-layer.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class ChannelSoftmax(keras.layers.Layer):
              def __init__(self, data_format="channels_last", **kwargs):
                  super().__init__(**kwargs)
                  self.data_format = data_format

              @classmethod
              def scaffold_cases(cls):
                  return [{"input": (2, 8, 8, 3)}]

              def call(self, inputs):
        -         return ops.softmax(inputs, axis=-1)
        +         axis = -1 if self.data_format == "channels_last" else 1
        +         return ops.softmax(inputs, axis=axis)

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "data_format": self.data_format}
    """
    formats = Formats(subject)
    if reason := formats.not_applicable():
        raise NotApplicable(reason)
    if problem := formats.problem():
        where = subject.source.where("call", "build")
        yield Finding("the outputs of `channels_last`, transposed", problem, where)
