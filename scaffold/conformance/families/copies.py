"""Copies: clones, deep copies and pickles equal the original, and share nothing with it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any

from scaffold.conformance.finding import Finding
from scaffold.conformance.instruments.state import (
    changed,
    copy_values,
    randomise,
    refuse_texts,
    shared_state,
)
from scaffold.conformance.lazy import keras
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.subject import Subject


@register(
    needs=("registered", "config-complete", "build-makes-all-weights", "instances-independent")
)
def clone_equal(subject: Subject) -> Iterator[Finding]:
    """`clone_model` gives an independent model that computes the same.

    Cross-validation, ensembles and target networks rely on it. If the config holds a sub-layer
    itself instead of its serialized form, both models train the same weights.

    Fix: put `keras.saving.serialize_keras_object(self.inner)` into the config, and deserialize it
    in `from_config`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Residual(keras.layers.Layer):
              def __init__(self, inner=None, **kwargs):
                  super().__init__(**kwargs)
                  self.inner = inner or keras.layers.Dense(8, dtype=self.dtype_policy)
                  self.supports_masking = True

              def build(self, input_shape):
                  if not self.inner.built:
                      self.inner.build(input_shape)

              def call(self, inputs):
                  return inputs + self.inner(inputs)

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
        -         return {**super().get_config(), "inner": self.inner}
        +         inner = keras.saving.serialize_keras_object(self.inner)
        +         return {**super().get_config(), "inner": inner}
        +
        +     @classmethod
        +     def from_config(cls, config):
        +         inner = keras.saving.deserialize_keras_object(config.pop("inner"))
        +         return cls(inner=inner, **config)
    """
    refuse_texts(subject)
    layer = subject.build()
    randomise(layer)
    if subject.is_model:
        clone = keras.models.clone_model(layer)
        subject.call(clone)
    else:
        model = subject.functional(layer, subject.batch)
        (clone,) = (part for part in keras.models.clone_model(model).layers if _is(part, layer))
    yield from _independent(subject, layer, clone, "clone")
    if len(clone.weights) == len(layer.weights):
        copy_values(layer, clone)
    yield from _equal(subject, layer, clone, "clone")


def _is(part: Any, layer: Any) -> bool:
    return type(part) is type(layer) and part.name == layer.name


@register(
    needs=(
        "clone-equal",
        "weights-come-back",
    )
)
def deepcopy_equal(subject: Subject) -> Iterator[Finding]:
    """`copy.deepcopy` gives an independent layer with the same weights.

    Keras copies a layer by its config and its weights. Random values that a layer keeps outside of
    both are drawn again for the copy, as they are when a saved model is loaded. A custom
    `__deepcopy__` easily forgets the weights.

    Fix: keep such values in weights with `trainable=False`, and leave copying to Keras.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Scale(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def build(self, input_shape):
                  self.scale = self.add_weight(shape=input_shape[-1:], initializer="ones")

              def call(self, inputs):
                  return inputs * self.scale

              def compute_output_shape(self, input_shape):
                  return input_shape
        -
        -     def __deepcopy__(self, memo):
        -         return type(self).from_config(self.get_config())
    """
    layer = subject.build()
    randomise(layer)
    copied = copy.deepcopy(layer)
    yield from _independent(subject, layer, copied, "copy")
    yield from _equal(subject, layer, copied, "copy")


@register(
    needs=(
        "clone-equal",
        "weights-come-back",
    )
)
def pickle_equal(subject: Subject) -> Iterator[Finding]:
    """An unpickled layer has its original weights.

    Joblib, Ray, Spark and Python's own process pools send models as pickles. Keras pickles a
    layer as its saved file; a custom `__reduce__` that returns only the arguments gives every
    worker a model with new weights.

    Fix: leave `__reduce__` to Keras, and define the class at the top level of its module.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Scale(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def build(self, input_shape):
                  self.scale = self.add_weight(shape=input_shape[-1:], initializer="ones")

              def call(self, inputs):
                  return inputs * self.scale

              def compute_output_shape(self, input_shape):
                  return input_shape
        -
        -     def __reduce__(self):
        -         return type(self), ()
    """
    if "<locals>" in subject.cls.__qualname__:
        raise NotApplicable("the class is defined inside a function")
    layer = subject.build()
    randomise(layer)
    again = pickle.loads(pickle.dumps(layer))  # noqa: S301 - it was written a moment ago
    yield from _equal(subject, layer, again, "pickled copy")


def _independent(subject: Subject, layer: Any, other: Any, what: str) -> Iterator[Finding]:
    if common := shared_state(layer, other):
        where = subject.source.where("__deepcopy__", "get_config", "__init__")
        names = ", ".join(common[:4])
        yield Finding(f"a {what} with its own weights and sub-layers", f"{names} in both", where)


def _equal(subject: Subject, layer: Any, other: Any, what: str) -> Iterator[Finding]:
    before = subject.outputs(layer)
    where = subject.source.where("__deepcopy__", "__reduce__", "get_config", "__init__")
    if len(other.weights) != len(layer.weights) and other.built:
        got = f"{len(other.weights)}"
        yield Finding(f"a {what} with {len(layer.weights)} weights", got, where)
    elif difference := changed(subject, layer, before, subject.outputs(other)):
        yield Finding(f"a {what} with the outputs of the original", difference, where)
