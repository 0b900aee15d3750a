"""Symbolic calls: what Keras infers about the outputs before there is data is right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scaffold.cases import Input, map_inputs
from scaffold.conformance.finding import Finding
from scaffold.conformance.instruments.sizes import accepted, spatial_axes, stretched
from scaffold.conformance.instruments.tracing import (
    Shapes,
    admits,
    flat,
    given_shapes,
    outline,
    shapes_of,
    standard,
    tensors,
    trace,
)
from scaffold.conformance.lazy import keras
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.subject import Data, Subject


@register(
    needs=(
        "portable-ops",
        "tensors-not-branched-on",
        "no-state-in-call",
    )
)
def compute_output_shape(subject: Subject) -> Iterator[Finding]:
    """`compute_output_shape` returns the shapes that a call gives.

    If a layer has this method, Keras trusts it and doesn't look at `call`. A wrong shape shows in
    `summary`, determines the weights of the next layer and breaks far from here. One shape for a
    call with two outputs silently drops the second output in every Functional model.

    Fix: return one shape per output, in the same structure as the outputs of `call`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class LastSteps(keras.layers.Layer):
              def __init__(self, count=2, **kwargs):
                  super().__init__(**kwargs)
                  self.count = count

              def call(self, inputs):
                  return inputs[:, -self.count :]

              def compute_output_shape(self, input_shape):
        -         return input_shape
        +         batch, _, channels = input_shape
        +         return (batch, self.count, channels)

              def get_config(self):
                  return {**super().get_config(), "count": self.count}
    """
    if not _declares(subject, "compute_output_shape"):
        raise NotApplicable("it has none, so Keras traces `call`")
    if _declares(subject, "compute_output_spec"):
        raise NotApplicable("Keras uses its `compute_output_spec` instead")
    declared = standard(given_shapes(subject.shared.compute_output_shape, subject.shapes))
    real = shapes_of(subject.call(subject.shared))
    where = subject.source.where("compute_output_shape", "call")
    yield from _structures(declared, real, "from `compute_output_shape`", where)
    if outline(declared) == outline(real):
        for claim, shape in zip(flat(declared), flat(real), strict=True):
            if not admits(claim, shape):
                yield Finding(f"{shape}, as a call gives", f"{claim}", where)


def _declares(subject: Subject, method: str) -> bool:
    return getattr(subject.cls, method) is not getattr(keras.layers.Layer, method)


def _structures(declared: Shapes, real: Shapes, source: str, where: Any) -> Iterator[Finding]:
    if outline(declared) != outline(real):
        yield Finding(f"{outline(real)}, as a call gives", f"{outline(declared)} {source}", where)


@register(needs=("compute-output-shape",))
def symbolic_equals_eager(subject: Subject) -> Iterator[Finding]:
    """A symbolic call gives the same structure, shapes and dtypes as a real call.

    A Functional model is built from symbolic calls. What they report about a layer's outputs
    decides what is connected to what, and in which dtype. Keras takes every output of a layer with
    `compute_output_shape` for a float: integer and boolean outputs need `compute_output_spec`.

    Fix: define `compute_output_spec`, or let `call` treat symbolic tensors like any others.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Strongest(keras.layers.Layer):
              def call(self, inputs):
                  return ops.argmax(inputs, axis=-1)

              def compute_output_shape(self, input_shape):
                  return input_shape[:-1]
        +
        +     def compute_output_spec(self, inputs):
        +         return keras.KerasTensor(inputs.shape[:-1], dtype="int32")
    """
    batch = subject.all_inputs[0].shape[0]
    symbols = subject.call_symbolic(subject.make(), subject.symbolic(batch))
    outputs = subject.call(subject.shared)
    claimed, real = shapes_of(symbols), shapes_of(outputs)
    where = subject.source.where("compute_output_spec", "compute_output_shape", "call")
    yield from _structures(claimed, real, "from a symbolic call", where)
    if outline(claimed) != outline(real):
        return
    for symbol, output in zip(tensors(symbols), tensors(outputs), strict=True):
        wanted, got = _described(output), _described(symbol)
        shapes_agree = admits(tuple(symbol.shape), tuple(output.shape))
        if not shapes_agree or wanted.split()[0] != got.split()[0]:
            yield Finding(f"{wanted}, as a call gives", f"{got} from a symbolic call", where)


def _described(tensor: Any) -> str:
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    if keras.backend.standardize_dtype(keras.ops.zeros((), dtype="int64").dtype) == "int32":
        dtype = dtype.replace("64", "32")  # JAX truncates to 32 bits, unless told otherwise.
    return f"{dtype} {tuple(tensor.shape)}"


@register(needs=("symbolic-equals-eager",))
def unknown_batch(subject: Subject) -> Iterator[Finding]:
    """A batch of unknown size is accepted and stays unknown.

    `keras.Input` leaves the batch size open, and so does `fit` on TensorFlow: the last batch of an
    epoch may be smaller. `x.shape[0]` is then `None`. Code that computes with it fails, although
    every call on data worked.

    Fix: use `-1` or `ops.shape(x)[0]` in `call`, and return the batch axis unchanged from
    `compute_output_shape`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class LastSteps(keras.layers.Layer):
              def __init__(self, count=2, **kwargs):
                  super().__init__(**kwargs)
                  self.count = count

              def call(self, inputs):
                  return inputs[:, -self.count :]

              def compute_output_shape(self, input_shape):
        -         batch, steps, channels = map(int, input_shape)
        -         return (batch, min(steps, self.count), channels)
        +         batch, _, channels = input_shape
        +         return (batch, self.count, channels)

              def get_config(self):
                  return {**super().get_config(), "count": self.count}
    """
    if "fixed-batch" in subject.case.tags:
        raise NotApplicable("tagged `fixed-batch`")
    real = list(flat(shapes_of(subject.call(subject.shared))))
    claims = list(flat(_symbolic_shapes(subject, subject.symbolic())))
    where = subject.source.where("compute_output_spec", "compute_output_shape", "call")
    for claim, shape in zip(claims, real, strict=True):
        if not admits(claim, shape):
            yield Finding(f"{shape} with an unknown batch size", f"{claim}", where)
    for i in _frozen(subject, claims, real):
        yield Finding(f"{(None, *real[i][1:])} for an unknown batch size", f"{claims[i]}", where)


def _symbolic_shapes(subject: Subject, symbols: Data) -> Shapes:
    layer = subject.make()
    shapes = shapes_of(subject.call_symbolic(layer, symbols))
    if subject.backend == "tensorflow":  # The only one that runs on unknown sizes
        trace(layer, symbols)
    return shapes


def _frozen(subject: Subject, claims: list[Any], real: list[Any]) -> list[int]:
    """Return the outputs that claim a fixed batch size, although it follows that of the inputs."""
    fixed = [i for i, claim in enumerate(claims) if claim and claim[0] is not None]
    if not fixed:
        return []
    data = subject.data(subject.all_inputs[0].shape[0] + 1)
    larger = list(flat(shapes_of(subject.call(subject.shared, data))))
    return [i for i in fixed if larger[i][0] != real[i][0]]


@register(needs=("unknown-batch",), tag="fixed-shape")
def unknown_dimensions(subject: Subject) -> Iterator[Finding]:
    """A layer that works at several sizes also accepts unknown sizes.

    In a model for inputs of any size, `keras.Input((None, 8))`, the number of steps, or the height
    and width of an image, is `None`. A layer that computes with it can't be used there, or
    reports a wrong shape to the layers after it.

    Fix: return `None` for an unknown size from `compute_output_shape`, and use `ops.shape(x)` in
    `call`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class PairMeans(keras.layers.Layer):
              def call(self, inputs):
                  return (inputs[:, ::2] + inputs[:, 1::2]) / 2

              def compute_output_shape(self, input_shape):
                  batch, steps, channels = input_shape
        -         return (batch, steps // 2, channels)
        +         return (batch, None if steps is None else steps // 2, channels)
    """
    if "fixed-shape" in subject.case.tags and subject.backend != "tensorflow":
        raise NotApplicable("tagged `fixed-shape`, and only TensorFlow runs on unknown sizes")
    axes = spatial_axes(subject)
    if not any(axes(described) for described in subject.all_inputs):
        raise NotApplicable("the inputs have no axes besides the batch and the channels")
    larger = [stretched(subject, by) for by in (2, 3)]
    if not all(accepted(subject.shared, other) for other in larger):
        raise NotApplicable("once built, it accepts only one input size")
    reals = [shapes_of(s.call(subject.shared)) for s in (subject, *larger)]
    if any([s[:1] for s in flat(real)] != [s[:1] for s in flat(reals[0])] for real in reals):
        raise NotApplicable("once built, it turns larger inputs into more samples")
    where = subject.source.where("compute_output_spec", "compute_output_shape", "call")
    claimed = _symbolic_shapes(subject, _free(subject))
    for claim, *shapes in zip(flat(claimed), *map(flat, reals), strict=True):
        wrong = [shape for shape in shapes if not admits(claim, shape)]
        if wrong:
            yield Finding(f"{wrong[0]} with unknown sizes", f"{claim}", where)


def _free(subject: Subject) -> Data:
    axes = spatial_axes(subject)

    def tensor(described: Input) -> Any:
        free = {0, *axes(described)}
        shape = [None if i in free else size for i, size in enumerate(described.shape)]
        return keras.Input(batch_shape=shape, dtype=described.dtype)

    case = subject.case
    return Data(map_inputs(tensor, case.inputs), map_inputs(tensor, dict(case.call)))
