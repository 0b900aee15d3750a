"""Building: `build` creates all weights, per instance and with distinct initial values."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from scaffold.conformance.finding import Finding, Where
from scaffold.conformance.instruments.audit import audited
from scaffold.conformance.instruments.walk import layers_of, listed, names_of_weights
from scaffold.conformance.instruments.wiring import arguments_named, is_off, made_and_called
from scaffold.conformance.lazy import keras, np
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.subject import Subject, arrays, differ


@register(
    needs=(
        "sublayers-tracked",
        "weights-tracked",
        "no-state-in-call",
    )
)
def build_makes_all_weights(subject: Subject) -> Iterator[Finding]:
    """`build` alone creates all the weights that a call creates.

    To load a model, Keras creates each layer, calls `build` with the shapes it was built with, and
    fills the weights that exist by then. Inside a model with its own `build`, weights created by
    the first call stay random, without an error or a warning.

    Fix: in `build`, call `build` of each sub-layer that is not yet built, with the shape it will
    see. Leave `self.built` to Keras.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Head(keras.layers.Layer):
              def __init__(self, units=4, **kwargs):
                  super().__init__(**kwargs)
                  self.units = units
                  self.norm = keras.layers.LayerNormalization(dtype=self.dtype_policy)
                  self.dense = keras.layers.Dense(units, dtype=self.dtype_policy)
                  self.supports_masking = True

        +     def build(self, input_shape):
        +         if not self.norm.built:
        +             self.norm.build(input_shape)
        +         if not self.dense.built:
        +             self.dense.build(input_shape)
        +
              def call(self, inputs):
                  return self.dense(self.norm(inputs))

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], self.units)

              def get_config(self):
                  return {**super().get_config(), "units": self.units}
    """
    called = subject.build()
    config = called.get_build_config()
    if config is None and not called.weights:
        yield from _never_built(subject)
        return
    built = subject.make()
    _build(subject, built, config)
    wanted, got = _described(called), _described(built)
    where = subject.source.where("build")
    unbuilt = [
        f"`{_plain(one.name)}` isn't built"
        for one, other in zip(layers_of(built), layers_of(called), strict=False)
        if not one.built and other.built and other.weights
    ]
    for missing in (Counter(wanted) - Counter(got)).elements():
        yield Finding(f"{missing} after `build`", "; ".join(unbuilt) or "no such weight", where)
        return
    for extra in (Counter(got) - Counter(wanted)).elements():
        yield Finding("only the weights of a call after `build`", f"{extra} as well", where)
        return
    if wanted != got:
        order = " before ".join(
            next(pair for pair in zip(wanted, got, strict=True) if len({*pair}) > 1)
        )
        yield Finding(f"{order}, as after a call", "a different order after `build`", where)


def _never_built(subject: Subject) -> Iterator[Finding]:
    """Yield a finding if Keras skips the class's `build` because `built` is already set."""
    if subject.cls.build is not keras.layers.Layer.build and subject.make().built:
        where = subject.source.where_set("built")
        yield Finding("`build` to run at the first call", "`built` already set to True", where)


def _build(subject: Subject, layer: Any, config: dict[str, Any] | None) -> None:
    """Build a layer as loading does, but call a model's own `build` so that its errors show."""
    own = subject.is_model and "build" in vars(subject.cls)
    if own and config and "input_shape" in config:
        layer.build(config["input_shape"])
    elif own and config:
        layer.build(**config["shapes_dict"])
    else:
        layer.build_from_config(config)


def _described(layer: Any) -> list[str]:
    names = names_of_weights(layer)
    return [
        f"`{_plain(names.get(id(one), one.path))}` {tuple(one.shape)} {one.dtype}"
        for one in layer.weights
    ]


def _plain(path: str) -> str:
    """Return a name or path without the numbers that Keras appends to instances."""
    return re.sub(r"_\d+(?=[/.]|$)", "", path)


@register(
    needs=(
        "defaults-not-shared",
        "sublayers-tracked",
    )
)
def instances_independent(subject: Subject) -> Iterator[Finding]:
    """Two instances share no variables and no layers.

    A layer from a cache or a module global, assigned in the constructor, is shared by all
    instances: what one learns, the others learn, too, and a model counts its weights once.

    Fix: create sub-layers and weights in the constructor or in `build`, new for each instance.

    Example:
        - _SHARED = keras.layers.Dense(4)
        -
        -
          @keras.saving.register_keras_serializable(package="my_project")
          class Project(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
        -         self.dense = _SHARED
        +         self.dense = keras.layers.Dense(4, dtype=self.dtype_policy)
                  self.supports_masking = True

              def build(self, input_shape):
                  if not self.dense.built:
                      self.dense.build(input_shape)

              def call(self, inputs):
                  return self.dense(inputs)

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], 4)
    """
    first, second = subject.build(), subject.build()
    known = {id(layer) for layer in layers_of(first)}
    shared = [layer for layer in layers_of(second) if id(layer) in known]
    for layer in shared[:1]:
        got = f"a {type(layer).__name__} shared by both"
        yield Finding("separate sub-layers in each instance", got,
                      _attribute(subject, second, layer))  # fmt: skip
    inner = {id(variable) for layer in shared for variable in layer.variables}
    known = {id(variable) for variable in first.variables} - inner
    for variable in (one for one in second.variables if id(one) in known):
        got = f"{listed(second, [variable])} shared by both"
        yield Finding("separate variables in each instance", got,
                      _attribute(subject, second, variable))  # fmt: skip


def _attribute(subject: Subject, layer: Any, value: Any) -> Where | None:
    own = vars(layer) | vars(layer).get("_modules", {})  # where Torch keeps sub-layers
    names = (name for name, part in own.items() if part is value)
    return subject.source.where_set(next(names, ""))


@register()
def initial_weights_differ(subject: Subject) -> Iterator[Finding]:
    """No two random weights have the same initial values.

    An initializer object draws the same values for every weight of the same shape: the kernels of
    query, key and value start out equal, and so do experts and heads. If they are used in the same
    way, they get equal gradients and stay equal. Keras 2 warned about this, Keras 3 doesn't.

    Fix: use a new initializer for each weight: `initializer.clone()`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Gate(keras.layers.Layer):
              def __init__(self, initializer="glorot_uniform", **kwargs):
                  super().__init__(**kwargs)
                  self.initializer = keras.initializers.get(initializer)
                  self.supports_masking = True

              def build(self, input_shape):
                  shape = (input_shape[-1], 4)
        -         start = self.initializer
        +         start = self.initializer.clone()
                  self.value = self.add_weight(name="value", shape=shape, initializer=start)
        -         self.gate = self.add_weight(name="gate", shape=shape, initializer=start)
        +         start = self.initializer.clone()
        +         self.gate = self.add_weight(name="gate", shape=shape, initializer=start)

              def call(self, inputs):
                  gate = ops.sigmoid(ops.matmul(inputs, self.gate))
                  return ops.matmul(inputs, self.value) * gate

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], 4)

              def get_config(self):
                  initializer = keras.initializers.serialize(self.initializer)
                  return {**super().get_config(), "initializer": initializer}
    """
    with audited() as audit:
        layer = subject.build()
    drawn = {
        id(made.value): made.where
        for made in audit.variables
        if hasattr(made.arguments.get("initializer"), "_init_seed")
    }
    other = subject.build()
    values, others = arrays(layer.weights), arrays(other.weights)
    random = [
        (variable, array)
        for variable, array, again in zip(layer.weights, values, others, strict=False)
        if variable.trainable and array.size > 1 and array.dtype.kind == "f"
        and (id(variable) in drawn or not np.array_equal(array, again)) and np.ptp(array) > 0
    ]  # fmt: skip
    if len(random) < 2:
        raise NotApplicable("it has fewer than two random weights")
    for (one, first), (two, second) in combinations(random, 2):
        if np.array_equal(first, second):
            got = f"the same values in both, of shape {first.shape}"
            expected = f"{listed(layer, [one, two])} to start with different values"
            yield Finding(expected, got, drawn.get(id(two)) or subject.source.where("build"))
            return


@register(needs=("runs", "sublayers-tracked"))
def initializers_wired(subject: Subject) -> Iterator[Finding]:
    """Each initializer argument of the constructor initializes a weight.

    An argument that is stored and saved, but not passed to `add_weight` or to the sub-layer that
    owns the weight, has no effect: the weights get Keras's default initializer.

    Fix: pass it to `add_weight(initializer=...)`, or to the sub-layer.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Linear(keras.layers.Layer):
              def __init__(self, kernel_initializer="he_normal", **kwargs):
                  super().__init__(**kwargs)
                  self.kernel_initializer = keras.initializers.get(kernel_initializer)
                  self.supports_masking = True

              def build(self, input_shape):
                  self.kernel = self.add_weight(
                      name="kernel",
                      shape=(input_shape[-1], 4),
        -             initializer="glorot_uniform",
        +             initializer=self.kernel_initializer,
                  )

              def call(self, inputs):
                  return ops.matmul(inputs, self.kernel)

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], 4)

              def get_config(self):
                  initializer = keras.initializers.serialize(self.kernel_initializer)
                  return {**super().get_config(), "kernel_initializer": initializer}
    """
    names = arguments_named(subject, "initializer", keras.initializers.Initializer)
    values = {name: 0.25 + index / 16 for index, name in enumerate(names)}
    given = {name: keras.initializers.Constant(value) for name, value in values.items()}
    layer = made_and_called(subject, **given)
    weights = arrays(layer.weights)
    for name in names:
        found = any(weight.size and (weight == values[name]).all() for weight in weights)
        if found or is_off(subject, layer, name):
            continue
        other = made_and_called(subject, **{**given, name: keras.initializers.Constant(9.5)})
        if not differ(weights, arrays(other.weights), tolerance=1e-6):
            got = "the same weights whatever its value"
            yield Finding(f"`{name}` to initialize a weight", got, subject.source.where_set(name))


@register(needs=("runs", "sublayers-tracked"))
def constraints_wired(subject: Subject) -> Iterator[Finding]:
    """Each constraint argument of the constructor applies to a weight.

    Keras applies a weight's constraint after each optimizer step. One that is stored but not passed
    to `add_weight` is never applied, and nobody notices until a weight violates it.

    Fix: pass it to `add_weight(constraint=...)`, or to the sub-layer.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Scale(keras.layers.Layer):
              def __init__(self, scale_constraint=None, **kwargs):
                  super().__init__(**kwargs)
                  self.scale_constraint = keras.constraints.get(scale_constraint)
                  self.supports_masking = True

              def build(self, input_shape):
                  self.scale = self.add_weight(
        -             name="scale", shape=input_shape[-1:], initializer="ones"
        +             name="scale",
        +             shape=input_shape[-1:],
        +             initializer="ones",
        +             constraint=self.scale_constraint,
                  )

              def call(self, inputs):
                  return inputs * self.scale

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  constraint = keras.constraints.serialize(self.scale_constraint)
                  return {**super().get_config(), "scale_constraint": constraint}
    """
    names = arguments_named(subject, "constraint", keras.constraints.Constraint)
    bounds = {name: 0.25 + index / 16 for index, name in enumerate(names)}
    given = {name: keras.constraints.MinMaxNorm(low, 2.0) for name, low in bounds.items()}
    layer = made_and_called(subject, **given)
    held = {
        getattr(getattr(variable, "constraint", None), "min_value", None)
        for variable in layer.weights
    }
    for name in names:
        done = bounds[name] in held or _is_used_in_call(subject, name)
        if not done and not is_off(subject, layer, name):
            expected = f"`{name}` to be the constraint of a weight"
            yield Finding(expected, "no weight with it", subject.source.where_set(name))


def _is_used_in_call(subject: Subject, attribute: str) -> bool:
    """Return whether `call` applies it itself."""
    call = subject.source.method("call")
    return call is not None and f"self.{attribute}" in ast.unparse(call)


@register()
def weight_names(subject: Subject) -> Iterator[Finding]:
    """No two weights have the same path.

    A weight's path is its name prefixed by those of its layers. Two weights with the same path
    can't be told apart by a `DTypePolicyMap`, a `LayoutMap`, a summary or `parameters()` on Torch,
    which then omits one; `get_state_tree` of a model that contains them raises an error.

    Fix: give each weight, and each named sub-layer, a unique name.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Twice(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.blocks = [
                      keras.layers.Dense(
        -                 4, name="block", dtype=self.dtype_policy
        +                 4, name=f"block_{i}", dtype=self.dtype_policy
                      )
                      for i in range(2)
                  ]
                  self.supports_masking = True

              def build(self, input_shape):
                  for block in self.blocks:
                      if not block.built:
                          block.build(input_shape)
                      input_shape = block.compute_output_shape(input_shape)

              def call(self, inputs):
                  for block in self.blocks:
                      inputs = block(inputs)
                  return inputs

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], 4)
    """
    paths = Counter(variable.path for variable in subject.shared.weights)
    twice = [f"{count} weights at `{_plain(path)}`" for path, count in paths.items() if count > 1]
    if twice:
        where = subject.source.where("build", "__init__")
        yield Finding("a unique path for each weight", ", ".join(twice), where)
