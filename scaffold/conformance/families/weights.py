"""Weights: Keras tracks all state, and calls create none."""

from __future__ import annotations

import ast
import gc
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

from scaffold.conformance.finding import Finding, Where
from scaffold.conformance.instruments.audit import Audit, audited
from scaffold.conformance.instruments.native import is_native_variable
from scaffold.conformance.instruments.walk import Held, held_in_tree, layers_of
from scaffold.conformance.lazy import keras, np
from scaffold.conformance.registry import register
from scaffold.conformance.subject import Subject

_NAMES_OF_WEIGHTS = ("kernel", "bias", "gamma", "beta", "weight", "w", "b")


@register()
def sublayers_tracked(subject: Subject) -> Iterator[Finding]:
    """Keras tracks every layer that this one calls or holds.

    Keras finds sub-layers in attributes, and in lists, tuples, dicts and sets that are assigned to
    attributes. It doesn't find them in a namespace, a dataclass, a closure, a `deque` or a class
    attribute, nor if they are later appended to an inner list: the layer works, but these weights
    keep their initial values and are not saved. There is no warning.

    Fix: assign the sub-layer to an attribute, or a complete list or dict of sub-layers.

    Example:
        - from types import SimpleNamespace
        -
        -
          @keras.saving.register_keras_serializable(package="my_project")
          class FeedForward(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def build(self, input_shape):
                  dense = keras.layers.Dense(input_shape[-1], dtype=self.dtype_policy)
                  dense.build(input_shape)
        -         self.parts = SimpleNamespace(dense=dense)
        +         self.dense = dense

              def call(self, inputs):
        -         return inputs + self.parts.dense(inputs)
        +         return inputs + self.dense(inputs)

              def compute_output_shape(self, input_shape):
                  return input_shape
    """
    with audited() as first:
        layer = subject.build()
    with audited() as second:
        subject.call(layer)
    held = {id(one.value): one for one in held_in_tree(layer)}
    passing = {id(made.value) for made in second.layers()}
    called = [one for one in second.called if id(one) not in passing]
    made = {id(one.value): one.where for one in first.layers()}
    lines: dict[Where | None, list[tuple[str, str]]] = {}
    for lost in _lost_layers(layer, [*called, *(one.value for one in held.values())]):
        holder = held.get(id(lost))
        kind = type(lost).__name__
        named = _named(layer, holder) if holder else f"the {kind} that `call` uses"
        where = made.get(id(lost)) or _location(subject, holder)
        got = f"an untracked {kind}: {_weights(len(lost.weights))} lost"
        lines.setdefault(where, []).append((named, got))
    for where, ((named, got), *more) in lines.items():
        others = f" and {len(more)} more in this line" if more else ""
        yield Finding(f"{named}{others} among the sub-layers that Keras tracks", got, where)


def _lost_layers(layer: Any, candidates: Iterable[Any]) -> list[Any]:
    """Return the untracked layers that have state, without their own sub-layers."""
    known = {id(one) for one in layers_of(layer)}
    tracked = {id(variable) for variable in layer.variables}
    lost: dict[int, Any] = {}
    for one in candidates:
        if not isinstance(one, keras.layers.Layer) or id(one) in known:
            continue
        if any(id(variable) not in tracked for variable in one.variables):
            lost[id(one)] = one
    inner = {id(part) for one in lost.values() for part in layers_of(one)[1:]}
    return [one for key, one in lost.items() if key not in inner]


def _weights(count: int) -> str:
    return "its state is" if not count else f"{count} weight{'s' * (count > 1)}"


def _named(layer: Any, held: Held) -> str:
    if held.owner is layer:
        return f"`{held.path}`"
    return f"`{held.path}` of the {type(held.owner).__name__} `{held.owner.name}`"


def _location(subject: Subject, held: Held | None) -> Where | None:
    if held is None:
        return subject.source.where("call")
    return subject.source.where_set(held.attribute)


@register()
def weights_tracked(subject: Subject) -> Iterator[Finding]:
    """All state is in variables that Keras tracks.

    Keras tracks what `add_weight` creates, and a variable or a `SeedGenerator` as an attribute. It
    doesn't track a variable in a namespace, a `tf.Variable`, a `torch.nn.Parameter` or a tensor of
    random values: they are never trained, and a loaded model starts with different values. There is
    no warning.

    Fix: create it with `self.add_weight`; a variable or a `SeedGenerator` created another way must
    be an attribute of the layer itself.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Prototypes(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def build(self, input_shape):
                  shape = (input_shape[-1], 4)
        -         initializer = keras.initializers.GlorotUniform()
        -         self.prototypes = initializer(shape, dtype=self.dtype)
        +         self.prototypes = self.add_weight(
        +             name="prototypes", shape=shape, initializer="glorot_uniform"
        +         )

              def call(self, inputs):
        -         return ops.matmul(inputs, ops.cast(self.prototypes, inputs.dtype))
        +         return ops.matmul(inputs, self.prototypes)

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], 4)
    """
    with audited() as audit:
        layer = subject.build()
        subject.call(layer, training=True)
    held = list(held_in_tree(layer))
    tracked = _known(layer, audit, held)
    made = {id(one.value): one.where for one in audit.variables}
    seen: set[int] = set()
    for one in held:
        for variable in _variables_of(one.value):
            if id(variable) not in tracked:
                seen.add(id(variable))
                what = f"a variable of shape {tuple(variable.shape)}"
                yield _untracked(subject, layer, one, what, made.get(id(variable)))
        if is_native_variable(one.value) and id(one.value) not in tracked:
            what = f"a {type(one.value).__name__} of the backend"
            yield _untracked(subject, layer, one, what)
    for text, where in _alive(audit, tracked | seen):
        got = f"{text}, which is untracked: neither trained nor saved"
        yield Finding("every variable among the layer's `variables`", got, where)
    yield from _tensors_for_weights(subject, layer)


def _known(layer: Any, audit: Audit, held: list[Held]) -> set[int]:
    """Return the variables tracked by the layer, or by others that are not at issue here."""
    others = [made.value for made in audit.owners if not _is_bare(made.value)]
    others += [one.value for one in held if isinstance(one.value, keras.layers.Layer)]
    variables = [*layer.variables, *layer.metrics_variables]
    variables += [variable for other in others for variable in other.variables]
    return {id(variable) for variable in variables} | {id(one.value) for one in variables}


def _is_bare(owner: Any) -> bool:
    return isinstance(owner, keras.random.SeedGenerator | keras.metrics.Metric)


def _variables_of(value: Any) -> list[Any]:
    if isinstance(value, keras.Variable):
        return [value]
    if isinstance(value, keras.random.SeedGenerator):
        return [value.state]
    return list(value.variables) if isinstance(value, keras.metrics.Metric) else []


def _untracked(
    subject: Subject, layer: Any, held: Held, what: str, where: Where | None = None
) -> Finding:
    return Finding(
        f"{_named(layer, held)} among the layer's `variables`",
        f"{what}, which is untracked: neither trained nor saved",
        where or subject.source.where_set(held.attribute),
    )


def _alive(audit: Audit, known: set[int]) -> list[tuple[str, Where | None]]:
    """Return the variables that are still alive and that nothing tracks."""
    watched = [
        (weakref.ref(made.value), f"`{made.value.path}`", made.where)
        for made in audit.variables
        if id(made.value) not in known
    ]
    for made in (audit.variables, audit.owners, audit.called):
        made.clear()
    if watched:
        gc.collect()
    return [(text, where) for variable, text, where in watched if variable() is not None]


def _tensors_for_weights(subject: Subject, layer: Any) -> Iterator[Finding]:
    """Yield findings for tensors kept as attributes that are random or look like weights."""
    kept, others = _kept_tensors(subject, layer), _kept_tensors(subject, subject.build())
    for key, (held, values) in kept.items():
        other = others.get(key)
        if other is not None and not np.array_equal(values, other[1], equal_nan=True):
            what = f"a tensor of random values, of shape {values.shape}"
            yield _untracked(subject, layer, held, what)
        elif held.owner is layer and _stands_for_weight(subject, held, values):
            what = f"a tensor whose {values.size} values are all {values.flat[0]:g}"
            yield _untracked(subject, layer, held, what)


def _kept_tensors(subject: Subject, layer: Any) -> dict[tuple[int, str], tuple[Held, Any]]:
    """Return the float tensors that a layer keeps over a call, with their values."""
    before = {id(one.value) for one in held_in_tree(layer) if _is_tensor(one.value)}
    subject.call(layer)
    known = {id(variable.value) for variable in layer.variables}
    order = {id(owner): index for index, owner in enumerate(layers_of(layer))}
    kept = {}
    for one in held_in_tree(layer):
        if id(one.value) in before - known and not is_native_variable(one.value):
            # NumPy itself can't convert a Torch tensor that requires a gradient.
            values = keras.ops.convert_to_numpy(one.value).astype("float64")
            kept[order[id(one.owner)], one.path] = (one, values)
    return kept


def _is_tensor(value: Any) -> bool:
    if isinstance(value, keras.Variable | keras.KerasTensor):
        return False
    if not isinstance(value, np.ndarray) and not keras.ops.is_tensor(value):
        return False
    return "float" in keras.backend.standardize_dtype(value.dtype)


def _stands_for_weight(subject: Subject, held: Held, values: Any) -> bool:
    """Return whether a tensor has the name of a weight and the values of an untrained one."""
    if held.attribute not in _NAMES_OF_WEIGHTS or held.path != f"self.{held.attribute}":
        return False
    return values.size > 1 and np.ptp(values) == 0 and not _is_added(subject, held.attribute)


def _is_added(subject: Subject, attribute: str) -> bool:
    """Return whether the source also creates a weight of this name, in another branch."""
    for node in ast.walk(subject.source.tree) if subject.source.tree else ():
        if isinstance(node, ast.Assign) and "add_weight" in ast.unparse(node.value):
            names = [target.attr for target in node.targets if isinstance(target, ast.Attribute)]
            if attribute in names:
                return True
    return False


@register()
def no_state_in_call(subject: Subject) -> Iterator[Finding]:
    """Calls create no layers, variables or seed generators.

    A layer created in `call` is a new one in each call. Its weights are initialized again and never
    trained; a `Dropout` created there drops the same units in each step once the call is compiled.
    TensorFlow rejects this in `fit`, JAX and Torch don't.

    Fix: create it in the constructor, or in `build` if it depends on the input shape.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Noise(keras.layers.Layer):
              def __init__(self, rate=0.5, **kwargs):
                  super().__init__(**kwargs)
                  self.rate = rate
        +         self.drop = keras.layers.Dropout(rate, dtype=self.dtype_policy)
                  self.supports_masking = True

              def build(self, input_shape):
        +         self.drop.build(input_shape)
                  self.built = True

              def call(self, inputs, training=None):
        -         drop = keras.layers.Dropout(self.rate, dtype=self.dtype_policy)
        -         return drop(inputs, training=training)
        +         return self.drop(inputs, training=training)

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "rate": self.rate}
    """
    layer = subject.build()
    lines: set[Where | None] = set()
    for training in (False, True):
        with audited() as audit:
            subject.call(layer, training=training)
        for what, where in _made(audit):
            if where not in lines:
                lines.add(where)
                got = f"a new {what} in a second call"
                yield Finding("no new state once the layer is built", got,
                              where or subject.source.where("call"))  # fmt: skip


def _made(audit: Audit) -> Iterator[tuple[str, Where | None]]:
    owned: set[int] = set()
    for made in audit.owners:
        if isinstance(made.value, keras.layers.Layer):
            owned |= {id(part) for part in layers_of(made.value)[1:]}
            owned |= {id(seed) for seed in made.value._seed_generators}
        owned |= {id(variable) for variable in _all_variables(made.value)}
    for made in (*audit.owners, *audit.variables):
        if id(made.value) not in owned:
            yield type(made.value).__name__, made.where


def _all_variables(owner: Any) -> list[Any]:
    if isinstance(owner, keras.random.SeedGenerator):
        return [owner.state]
    return list(owner.variables)
