"""Training state: freezing reaches all weights and lasts, and inference changes none."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from scaffold.conformance.finding import Finding, Where
from scaffold.conformance.instruments.walk import layers_of, listed
from scaffold.conformance.lazy import np
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.subject import Subject, arrays


@register(
    needs=(
        "sublayers-tracked",
        "weights-tracked",
        "no-state-in-call",
    )
)
def trainable_reaches_all(subject: Subject) -> Iterator[Finding]:
    """`trainable = False` freezes every weight, and `True` unfreezes them.

    This is how a pretrained layer is kept unchanged while the rest of a model is trained. A layer
    with its own `trainable_weights`, or with a setter that doesn't reach everything, goes on
    training, and only worse results show it.

    Fix: leave `trainable` and `trainable_weights` to Keras. A custom setter must first call
    `keras.layers.Layer.trainable.fset(self, value)`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Adapter(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.down = keras.layers.Dense(4, dtype=self.dtype_policy)
                  self.supports_masking = True

              def build(self, input_shape):
                  if not self.down.built:
                      self.down.build(input_shape)

        -     @property
        -     def trainable_weights(self):
        -         return self.down.weights
        -
              def call(self, inputs):
                  return self.down(inputs)

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], 4)
    """
    layer = subject.build()
    before = list(layer.trainable_weights)
    where = subject.source.where("trainable", "trainable_weights", "trainable_variables")
    layer.trainable = False
    left = list(layer.trainable_weights) or list(layer.trainable_variables)
    moving = [one.name for one in layers_of(layer) if one.trainable]
    if left or moving:
        got = f"{listed(layer, left)} still trainable" if left else f"`{moving[0]}` still trainable"
        yield Finding("everything frozen after `trainable = False`", got, where)
    layer.trainable = True
    if lost := [one for one in before if not _among(one, layer.trainable_weights)]:
        expected = f"{listed(layer, lost)} to be trainable again after `trainable = True`"
        yield Finding(expected, "still frozen", where)


def _among(variable: Any, others: list[Any]) -> bool:
    return any(variable is other for other in others)


@register(needs=("runs", "trainable-reaches-all"))
def frozen_stays_frozen(subject: Subject) -> Iterator[Finding]:
    """What the constructor freezes stays frozen, even if `trainable` is set from outside.

    Setting `trainable` sets it on all sub-layers. If a layer freezes its backbone only in the
    constructor, freezing and unfreezing the layer, as in fine-tuning, also unfreezes the backbone:
    it is trained from then on.

    Fix: freeze it again in a setter of `trainable`, and store what is frozen in the config.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Probe(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.base = keras.layers.Dense(8, dtype=self.dtype_policy)
                  self.head = keras.layers.Dense(4, dtype=self.dtype_policy)
                  self.base.trainable = False
                  self.supports_masking = True

        +     @property
        +     def trainable(self):
        +         return super().trainable
        +
        +     @trainable.setter
        +     def trainable(self, value):
        +         keras.layers.Layer.trainable.fset(self, value)
        +         self.base.trainable = False
        +
              def build(self, input_shape):
                  if not self.base.built:
                      self.base.build(input_shape)
                  if not self.head.built:
                      self.head.build(self.base.compute_output_shape(input_shape))

              def call(self, inputs):
                  return self.head(self.base(inputs))

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], 4)
    """
    layer = subject.build()
    frozen = _frozen(layer)
    if not frozen or not layer.trainable:
        raise NotApplicable("its constructor freezes no weights")
    layer.trainable = False
    layer.trainable = True
    if melted := [one for one in frozen if not _among(one, _frozen(layer))]:
        expected = f"{listed(layer, melted)} to stay frozen after `trainable = False` and `True`"
        yield Finding(expected, "trainable", _where_frozen(subject))
    copy = subject.cls.from_config(subject.make().get_config())
    subject.call(copy)
    if len(_frozen(copy)) < len(frozen):
        expected = f"{listed(layer, frozen)} to be frozen in a layer created from its config"
        yield Finding(expected, f"{len(_frozen(copy))} of {len(frozen)} frozen",
                      subject.source.where("get_config"))  # fmt: skip


def _frozen(layer: Any) -> list[Any]:
    """Return the weights that are frozen only because `trainable` was set."""
    return [
        variable
        for one in layers_of(layer)
        for variable in one._trainable_variables
        if not (variable.trainable and one.trainable)
    ]


def _where_frozen(subject: Subject) -> Where | None:
    """Return the line that freezes something in the class."""
    for node in ast.walk(subject.source.tree) if subject.source.tree else ():
        match node:
            case ast.Assign(targets=[ast.Attribute(attr="trainable")]) | ast.keyword(
                arg="trainable", value=ast.Constant(value=False)
            ):
                return subject.source.at(node)
    return subject.source.where("__init__")


@register(needs=("no-state-in-call",), tag="updates-at-inference")
def state_changes_only_in_training(subject: Subject) -> Iterator[Finding]:
    """A call with `training=False` changes no weights.

    Running statistics and step counters that also change at inference depend on what was predicted
    before: validation leaks into the model, repeated predictions differ, and a served model drifts.

    Fix: take `training=None` in `call`, and assign only `if training`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Center(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def build(self, input_shape):
                  self.mean = self.add_weight(
                      name="mean", shape=input_shape[-1:], initializer="zeros", trainable=False
                  )

              def call(self, inputs, training=None):
                  outputs = inputs - self.mean
        -         self.mean.assign(0.9 * self.mean + 0.1 * self.average(inputs))
        +         if training:
        +             self.mean.assign(0.9 * self.mean + 0.1 * self.average(inputs))
                  return outputs

              def average(self, inputs):
                  axes = tuple(range(len(inputs.shape) - 1))
                  return ops.cast(ops.mean(inputs, axis=axes), self.mean.dtype)

              def compute_output_shape(self, input_shape):
                  return input_shape
    """
    layer = subject.build()
    before = [value.copy() for value in arrays(layer.weights)]
    subject.call(layer, training=False)
    subject.call(layer, subject.data(seed=1), training=False)
    changed = [
        variable
        for variable, value, now in zip(layer.weights, before, arrays(layer.weights), strict=True)
        if not np.array_equal(now, value)
    ]
    if changed:
        expected = f"{listed(layer, changed)} unchanged with `training=False`"
        where = _where_assigned(subject, layer, changed)
        yield Finding(expected, "different values after two calls", where)


def _where_assigned(subject: Subject, layer: Any, changed: list[Any]) -> Where | None:
    """Return the line that assigns to one of them, if it is an attribute of the layer."""
    own = {name for name, part in vars(layer).items() if any(part is one for one in changed)}
    for node in ast.walk(subject.source.tree) if subject.source.tree else ():
        match node:
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Attribute(attr=name), attr="assign" | "assign_add" | "assign_sub"
                )
            ) if (name in own):
                return subject.source.at(node)
    return subject.source.where("call")
