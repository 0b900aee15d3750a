"""Portability: `call` computes with `keras.ops`, on tensors that may have no values yet."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from scaffold.cases import Input, inputs_of
from scaffold.conformance.finding import Finding
from scaffold.conformance.instruments.kinds import Kind
from scaffold.conformance.instruments.names import Names, asks_backend, executed
from scaffold.conformance.instruments.reach import Methods, Reached
from scaffold.conformance.instruments.taint import Held, Taint, Use
from scaffold.conformance.lazy import keras
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.subject import Subject

_BACKENDS = ("tensorflow", "torch", "jax")


@register(needs=())
def keras_2_names(subject: Subject) -> Iterator[Finding]:
    """The class uses no name that Keras 3 has removed.

    `K.learning_phase()`, `self.add_update(...)` or `shape.as_list()` fails only when the line runs,
    which may be in training only. A `compute_output_signature` or `get_updates_for` method is
    silently never called. `tensorflow.keras` needs TensorFlow on every backend.

    Fix: write `import keras`, use functions from `keras.ops`, and look up names in Keras 3.

    Example:
        - from keras import backend as K
        -
        -
          @keras.saving.register_keras_serializable(package="my_project")
          class Shrink(keras.layers.Layer):
              def __init__(self, threshold=0.5, **kwargs):
                  super().__init__(**kwargs)
                  self.threshold = threshold
                  self.supports_masking = True

              def call(self, inputs, training=None):
                  small = ops.abs(inputs) < self.threshold
        -         if training:
        -             inputs = K.in_train_phase(inputs, inputs * 2.0)
                  return ops.where(small, ops.zeros_like(inputs), inputs)

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "threshold": self.threshold}
    """
    if subject.source.tree is None or subject.is_built_in:
        raise NotApplicable("its source can't be found, or is Keras's own")
    seen: set[tuple[str, int]] = set()
    for expected, got, node in _old_names(subject):
        if (got, node.lineno) not in seen:
            seen.add((got, node.lineno))
            yield Finding(expected, got, subject.source.at(node))


_ON_ANY_BACKEND = ("build", "call", "compute_mask", "compute_output_shape", "compute_output_spec")
_OLD_METHODS = {
    "add_update": "weights changed with `assign`",
    "add_metric": "a `keras.metrics` object as an attribute",
    "get_updates_for": "nothing: Keras 3 has no updates",
    "get_losses_for": "`losses`",
    "get_input_at": "`input`",
    "get_output_at": "`output`",
    "get_input_shape_at": "`input.shape`",
    "get_output_shape_at": "`output.shape`",
    "fit_generator": "`fit`",
    "predict_generator": "`predict`",
}
_OLD_DEFINITIONS = {
    "compute_output_signature": "`compute_output_spec`",
    "get_updates_for": "nothing: Keras 3 has no updates",
    "_get_trainable_state": "`trainable`",
}


def _old_names(subject: Subject) -> Iterator[tuple[str, str, Any]]:
    for method in subject.source.methods():
        if method.name in _OLD_DEFINITIONS:
            yield _OLD_DEFINITIONS[method.name], f"`{method.name}`, which is not called", method
        names = Names(subject.source.module or method, method)
        for node in executed(method):
            if isinstance(node, ast.Attribute):
                yield from _old_attribute(subject, node, names, method.name in _ON_ANY_BACKEND)


def _old_attribute(
    subject: Subject, node: ast.Attribute, names: Names, in_call: bool
) -> Iterator[tuple[str, str, Any]]:
    full = names.full(node)
    if full.startswith("tensorflow.keras."):
        if full.count(".") == 2:
            yield f"`{full.removeprefix('tensorflow.')}`", f"`{full}`", node
    elif full.startswith("keras.") and not full.startswith("keras.src.") and not _exists(full):
        yield "a name that exists in Keras 3", f"`{full}`", node
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=name) if name in _OLD_METHODS:
            inherited = name == "add_metric" and not _defines(subject.cls, name)
            if inherited or not hasattr(subject.cls, name):
                yield _OLD_METHODS[name], f"`self.{name}`", node
        case ast.Attribute(value=ast.Attribute(attr="shape"), attr="as_list") if in_call:
            yield "a shape used as a tuple", f"`{ast.unparse(node)}`", node


def _defines(cls: type, name: str) -> bool:
    """Return whether a class of the user, not of Keras, defines a method."""
    return any(name in vars(base) for base in cls.__mro__ if "keras" not in base.__module__)


def _exists(full: str) -> bool:
    found: Any = importlib.import_module("keras")
    for part in full.split(".")[1:]:
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
        if isinstance(found, type):  # instances may have more than the class
            return True
    return True


@register(needs=("constructs",), tag="backend-specific")
def portable_ops(subject: Subject) -> Iterator[Finding]:
    """`call`, and everything it runs, computes with `keras.ops` only.

    Functions of TensorFlow, Torch, JAX or NumPy accept other backends' tensors as long as these
    have values, but return tensors that don't belong to this backend. Gradients stop there, and the
    first compiled step fails. A layer written with `keras.ops` runs everywhere.

    Fix: use the function of the same name from `keras.ops`; NumPy is fine for shapes and
    constants.

    Example:
        - import numpy as np
        -
        -
          @keras.saving.register_keras_serializable(package="my_project")
          class SoftClip(keras.layers.Layer):
              def __init__(self, limit=1.0, **kwargs):
                  super().__init__(**kwargs)
                  self.limit = limit
                  self.supports_masking = True

              def call(self, inputs):
        -         return self.limit * np.tanh(inputs / self.limit)
        +         return self.limit * ops.tanh(inputs / self.limit)

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "limit": self.limit}
    """
    methods = _methods(subject)
    found: dict[tuple[str, int], tuple[str, Reached, Any]] = {}
    for reached in methods.run_by("call"):
        for name, node in () if asks_backend(reached.function) else _foreign(reached):
            found.setdefault((reached.source.path, node.lineno), (name, reached, node))
    for use in _uses(subject, methods, subject.make()):
        if use.take in ("numpy", "method") and not asks_backend(use.reached.function):
            key = use.reached.source.path, getattr(use.node, "lineno", 0)
            found.setdefault(key, (_written(use.node), use.reached, use.node))
    for _, (name, reached, node) in sorted(found.items(), key=lambda item: item[0]):
        yield Finding("only `keras.ops` on tensors", f"`{name}`", reached.source.at(node))


def _foreign(reached: Reached) -> Iterator[tuple[str, Any]]:
    """Yield the backend functions that a function of the user uses."""
    for node in executed(reached.function):
        if isinstance(node, ast.Attribute | ast.Name):
            full = reached.names.full(node)
            is_keras = full.startswith("tensorflow.keras")
            if full.partition(".")[0] in _BACKENDS and "." in full and not is_keras:
                yield _written(node), node


def _methods(subject: Subject) -> Methods:
    methods = Methods(subject.cls)
    if methods.find("call") is None:
        raise NotApplicable("its `call` is Keras's own, or its source can't be found")
    return methods


def _uses(subject: Subject, methods: Methods, layer: Any) -> list[Use]:
    return Taint(methods, lambda name: _held(layer, name)).uses(_given(subject))


def _given(subject: Subject) -> dict[str, Kind]:
    """Return what is known about the parameters of `call`."""
    first = next(iter(subject.call_parameters), "")
    tensors = {first: subject.case.inputs, **subject.case.call}
    found = {name: _kind(value) for name, value in tensors.items() if inputs_of(value)}
    if found == {first: Kind.TENSOR} and "mask" in subject.call_parameters:
        found["mask"] = Kind.TENSOR
    return found


def _kind(structure: Any) -> Kind:
    if isinstance(structure, Input):
        return Kind.TENSOR
    return Kind.DICT if isinstance(structure, Mapping) else Kind.TENSORS


def _held(layer: Any, name: str) -> Held:
    value = getattr(layer, name, None)
    if isinstance(value, keras.Variable):
        return "variable"
    return "layer" if isinstance(value, keras.layers.Layer) else "other"


def _written(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0][:80]


_TAKES = {
    "truth": "a condition that is not a tensor, or `ops.where`",
    "number": "no tensor converted to a Python number",
    "iteration": "no Python loop over a tensor",
    "size": "a shape that doesn't depend on values, such as that of `ops.where(condition, x, y)`",
}


@register()
def tensors_not_branched_on(subject: Subject) -> Iterator[Finding]:
    """Python's `if`, `while`, `for`, `float` and `len` are not used on tensors.

    In a compiled step, a tensor has no value yet. `if ops.max(x) > 1` then fails on TensorFlow
    and JAX; on Torch it runs, and a Functional model gets the branch that inputs of ones take.
    JAX's error message doesn't name the line.

    Fix: use `ops.where` for values, `ops.cond` for branches, `ops.shape(x)[axis]` for lengths.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Bounded(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def call(self, inputs):
                  largest = ops.max(ops.abs(inputs), axis=-1, keepdims=True)
        -         if ops.any(largest > 1):
        -             inputs = inputs / largest
        -         return inputs
        +         return inputs / ops.maximum(largest, 1.0)

              def compute_output_shape(self, input_shape):
                  return input_shape
    """
    for use in _uses(subject, _methods(subject), subject.shared):
        if use.take in _TAKES and not asks_backend(use.reached.function):
            where = use.reached.source.at(use.node)
            yield Finding(_TAKES[use.take], f"`{_written(use.node)}`", where)
