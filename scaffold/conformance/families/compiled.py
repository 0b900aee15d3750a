"""Compiled: what `fit` traces once gives the same as plain Python, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from scaffold.conformance.finding import Finding
from scaffold.conformance.instruments.attributes import Attributes
from scaffold.conformance.instruments.compilation import compiled, is_of_a_trace
from scaffold.conformance.instruments.walk import held_in_tree
from scaffold.conformance.lazy import keras
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.runner import raised
from scaffold.conformance.subject import Data, Subject, arrays, differ


@register(needs=("no-state-in-call",))
def no_side_effects(subject: Subject) -> Iterator[Finding]:
    """`call` doesn't change the layer's attributes.

    `fit` runs the Python code of `call` once, while tracing. A counter then stops, a schedule stays
    at its first value, and a running mean becomes a symbolic tensor without a value. On Torch the
    same code runs in every step, so the same model trains differently on another backend. A list
    that keeps tensors fills up memory.

    Fix: keep what changes in a weight, `self.add_weight(trainable=False)`, and `assign` to it.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class WarmUp(keras.layers.Layer):
              def __init__(self, steps=100, **kwargs):
                  super().__init__(**kwargs)
                  self.steps = steps
        -         self.step = 0.0
                  self.supports_masking = True

        +     def build(self, input_shape):
        +         self.step = self.add_weight(initializer="zeros", trainable=False)
        +
              def call(self, inputs, training=None):
                  if training:
        -             self.step += 1.0
        +             self.step.assign(self.step + 1.0)
                      return inputs * ops.minimum(self.step / self.steps, 1.0)
                  return inputs

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "steps": self.steps}
    """
    layer = subject.make()
    _call_both(subject, layer)  # what is made once and kept is not a side effect
    before = Attributes(layer)
    _call_both(subject, layer)
    for change in before.changes(Attributes(layer)):
        expected = f"`self.{change.name}` to stay {change.before} over two calls"
        yield Finding(expected, change.after, change.where)


def _call_both(subject: Subject, layer: Any) -> None:
    for training in (True, False):
        subject.call(layer, training=training)


@register(
    needs=(
        "portable-ops",
        "tensors-not-branched-on",
        "weights-tracked",
        "no-state-in-call",
        "no-untracked-randomness",
        "no-side-effects",
    ),
    tag="not-compilable",
)
def compiled_equals_eager(subject: Subject) -> Iterator[Finding]:
    """A compiled call gives the same outputs, and leaves the same state, as an eager one.

    Code tried in a notebook runs eagerly; `fit` and `predict` compile it. What Python computes in
    `call` from an iterator, a clock, a file or the values of a tensor is then computed once, or not
    at all.

    Fix: compute with `keras.ops` on tensors, and keep what changes in weights. If a layer is meant
    to prepare data outside of a model, and some backend can't compile it, give it the tag
    `not-compilable`.

    Example:
        - import itertools
        -
        -
          @keras.saving.register_keras_serializable(package="my_project")
          class Annealed(keras.layers.Layer):
              def __init__(self, decay=0.5, **kwargs):
                  super().__init__(**kwargs)
                  self.decay = decay
        -         self.scales = (1 + decay**step for step in itertools.count())
                  self.supports_masking = True

        +     def build(self, input_shape):
        +         self.step = self.add_weight(initializer="zeros", trainable=False)
        +
              def call(self, inputs, training=None):
                  if training:
        -             return inputs * next(self.scales)
        +             scale = 1 + self.decay**self.step
        +             self.step.assign(self.step + 1)
        +             return inputs * scale
                  return inputs

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "decay": self.decay}
    """
    _refuse_texts(subject)
    layer = subject.build()
    batches = [subject.data(), subject.data(seed=1)]

    def both(data: Data) -> Any:
        return [subject.call(layer, data, training) for training in (False, True)]

    start = _values(layer)
    eager = _results(layer, start, both, batches)
    traced = _results(layer, start, compiled(both, batches[0], layer), batches)
    where = subject.source.where("call")
    names = ("the outputs of call 1", "the outputs of call 2", "the state after two calls")
    for name, one, other in zip(names, eager, traced, strict=True):
        if found := differ(one, other, 1e-3):
            yield Finding(f"{name} to be the same compiled as eager", found, where)
            return
    if "not-compilable" in subject.case.tags:
        raise NotApplicable(f"{subject.backend} compiles it anyway")


def _refuse_texts(subject: Subject) -> None:
    dtypes = {described.dtype for described in subject.all_inputs}
    if "string" in dtypes and subject.backend != "tensorflow":
        raise NotApplicable("only TensorFlow traces string tensors")


def _results(
    layer: Any, start: list[Any], function: Callable[[Data], Any], batches: list[Data]
) -> list[list[Any]]:
    """Return the outputs of a function for each batch and the final state, from a given start."""
    for variable, value in zip(layer.variables, start, strict=True):
        variable.assign(value)
    keras.utils.set_random_seed(0)  # Torch's dropout has its own generator
    outputs = [arrays(function(data)) for data in batches]
    return [*outputs, _values(layer)]


def _values(layer: Any) -> list[Any]:
    """Return copies of all variables' values: Torch shares its memory with NumPy."""
    return [keras.ops.convert_to_numpy(variable.value).copy() for variable in layer.variables]


@register(needs=("weights-tracked", "no-side-effects"))
def nothing_leaks(subject: Subject) -> Iterator[Finding]:
    """A layer that Keras has traced still works on data.

    Inside a subclassed model, the first call of a layer is symbolic, and so is its `build`. A
    tensor created then and kept has no values. Every later call fails: "out of scope" on
    TensorFlow, a leaked tracer on JAX, a tensor on the `meta` device on Torch.

    Fix: keep constants as NumPy arrays, create them in each `call`, or use a non-trainable weight.

    Example:
        + import numpy as np
        +
        +
          @keras.saving.register_keras_serializable(package="my_project")
          class Ramp(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def build(self, input_shape):
        -         self.ramp = ops.linspace(0.0, 1.0, input_shape[-1])
        +         self.ramp = np.linspace(0.0, 1.0, input_shape[-1])

              def call(self, inputs):
                  return inputs * ops.cast(self.ramp, self.compute_dtype)

              def compute_output_shape(self, input_shape):
                  return input_shape
    """
    _refuse_texts(subject)
    layer = subject.make()
    batch = subject.all_inputs[0].shape[0] if subject.all_inputs else None
    symbols = subject.symbolic(batch)
    _empty_caches(layer)
    try:
        _host(layer, symbols)(symbols.tensors())
    except Exception as error:  # each backend raises its own error
        raise NotApplicable(f"Keras can't trace it: {type(error).__name__}") from None
    kept = (held for held in held_in_tree(layer) if held.attribute)
    left = [held for held in kept if is_of_a_trace(held.value)]
    for held in left:
        where = subject.source.where_set(held.attribute)
        yield Finding(f"`{held.path}` to have values", "a tensor left from a symbolic call", where)
    if not left:
        yield from _of_a_call(subject, layer)
    _empty_caches(layer)


def _of_a_call(subject: Subject, layer: Any) -> Iterator[Finding]:
    """Yield a finding if a call on data fails because of something kept unseen, as in a cache."""
    try:
        subject.call(layer)
    except Exception as error:  # each backend has its own error for this
        found = raised(error, subject)
        yield Finding("a call on data to work after a symbolic one", found.got, found.where)


def _empty_caches(layer: Any) -> None:
    """Clear the caches of the user's functions, filled by traced calls or not."""
    for held in held_in_tree(layer):
        if hasattr(type(held.value), "cache_clear"):
            held.value.cache_clear()


def _host(layer: Any, like: Data) -> Any:
    """Return a layer that calls `layer` and declares no outputs, so that Keras traces it."""

    class _Host(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            data = like.filled(inputs)
            return layer(data.inputs, **data.call)

    return _Host(autocast=False)
