"""Configuration: `get_config` returns everything that the constructor needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from scaffold.conformance.finding import Finding
from scaffold.conformance.instruments.perturbation import changed_arguments
from scaffold.conformance.lazy import keras, np
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.subject import Subject, differ, same_state
from scaffold.keras_source.taken_names import LAYER_ATTRIBUTES

# Keras's own arguments of these names need no entry if they have the default value.
_OF_KERAS = ("name", "dtype", "trainable", "autocast", "activity_regularizer", "args", "kwargs")


@register(needs=("kwargs-forwarded", "defaults-not-shared", "runs"))
def config_complete(subject: Subject) -> Iterator[Finding]:
    """Every constructor argument is in the config.

    A saved model consists of its config and its weights. An argument that `get_config` omits comes
    back as its default, and the loaded model silently gives different outputs.

    Fix: add each argument to the dict that `get_config` returns.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Scale(keras.layers.Layer):
              def __init__(self, factor=2.0, offset=0.0, **kwargs):
                  super().__init__(**kwargs)
                  self.factor = factor
                  self.offset = offset
                  self.supports_masking = True

              def call(self, inputs):
                  return inputs * self.factor + self.offset

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
        -         return {**super().get_config(), "factor": self.factor}
        +         return {
        +             **super().get_config(),
        +             "factor": self.factor,
        +             "offset": self.offset,
        +         }
    """
    changed = changed_arguments(subject)
    config = subject.make(**changed).get_config()
    wanted = [name for name in subject.parameters if name in changed or name in subject.case.args]
    where = subject.source.where("get_config", "__init__")
    for name in wanted:
        if name not in config and name not in _OF_KERAS:
            yield Finding(f"`{name}` in the config", f"only {', '.join(sorted(config))}", where)


@register(needs=("config-complete",))
def config_plain_json(subject: Subject) -> Iterator[Finding]:
    """The config survives a round trip through JSON.

    Keras saves configs as JSON. A value that JSON can't represent fails in `save`, after training,
    or comes back as something else: the dict key 3 as the string "3", an array as a dict that
    describes an array.

    Fix: return plain values from `get_config` (numbers, strings, lists, dicts with string keys,
    results of `keras.saving.serialize_keras_object`) and convert them back in the constructor.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class ScaleChannels(keras.layers.Layer):
              def __init__(self, factors=None, **kwargs):
                  super().__init__(**kwargs)
        -         self.factors = factors or {0: 2.0, 3: 0.5}
        +         self.factors = factors or [[0, 2.0], [3, 0.5]]
                  self.supports_masking = True

              def call(self, inputs):
        -         factors = [self.factors.get(i, 1.0) for i in range(inputs.shape[-1])]
        +         known = {int(i): factor for i, factor in self.factors}
        +         factors = [known.get(i, 1.0) for i in range(inputs.shape[-1])]
                  return inputs * ops.convert_to_tensor(factors, dtype=self.compute_dtype)

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "factors": self.factors}
    """
    where = subject.source.where("get_config", "__init__")
    config = subject.make().get_config()
    for name, value in config.items():
        if problem := _not_json(value):
            yield Finding(f"plain values in the config's `{name}`", problem, where)


def _not_json(value: Any) -> str:
    """Return what JSON would lose of a config; empty if nothing."""
    match value:
        case None | bool() | int() | float() | str():
            return "" if type(value).__module__ == "builtins" else f"a {type(value).__name__}"
        case Mapping():
            keys = [key for key in value if not isinstance(key, str)]
            if keys:
                return f"a dict with the key {keys[0]!r}, which JSON turns into a string"
            return next(filter(None, map(_not_json, value.values())), "")
        case list() | tuple():
            return next(filter(None, map(_not_json, value)), "")
    if isinstance(value, keras.layers.Layer):
        return f"the layer {value.name} itself instead of its serialized form"
    kinds = (keras.DTypePolicy, keras.Initializer, keras.Regularizer, keras.constraints.Constraint)
    if isinstance(value, kinds) or (callable(value) and not isinstance(value, type)):
        return _not_serializable(value)
    return f"a {type(value).__name__}"


def _not_serializable(value: Any) -> str:
    """Return why Keras can't serialize one of its own objects; empty if it can."""
    written = json.dumps(keras.saving.serialize_keras_object(value))
    return "a lambda" if "__lambda__" in written else ""


@register(needs=("config-plain-json",))
def config_round_trip(subject: Subject) -> Iterator[Finding]:
    """A layer recreated from its config equals the original.

    Every argument is changed from its default, and the config is written as JSON and read back. The
    attributes must have the same values and types, and the outputs the same numbers. A config that
    stores one argument under another's name is consistent with itself, and a tuple comes back from
    JSON as a list: both show only when something is computed.

    Fix: store each argument under its own name in `get_config`, and normalize it in the
    constructor: `self.size = tuple(size)`, `keras.activations.get(activation)`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Clip(keras.layers.Layer):
              def __init__(self, low=-1.0, high=1.5, **kwargs):
                  super().__init__(**kwargs)
                  self.low = low
                  self.high = high
                  self.supports_masking = True

              def call(self, inputs):
                  return ops.clip(inputs, self.low, self.high)

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
        -         return {**super().get_config(), "low": self.low, "high": self.low}
        +         return {**super().get_config(), "low": self.low, "high": self.high}
    """
    changed = changed_arguments(subject)
    layer = subject.build(**changed)
    again = type(layer).from_config(_through_json(layer))
    subject.call(again)
    yield from _attributes_kept(subject, layer, again)
    if len(layer.weights) != len(again.weights):
        where = subject.source.where("get_config")
        yield Finding(f"{len(layer.weights)} weights, as before", f"{len(again.weights)}", where)
        return
    twin = subject.build(**changed)
    if problem := _other_outputs(subject, layer, twin, again):
        values = ", ".join(f"{name}={value!r}" for name, value in changed.items())
        where = subject.source.where("get_config", "__init__")
        yield Finding(f"the same outputs as before ({values})", problem, where)


def _through_json(layer: Any) -> dict[str, Any]:
    """Return the config as `load_model` passes it to `from_config`."""
    written = keras.saving.serialize_keras_object(layer)["config"]
    read: dict[str, Any] = json.loads(json.dumps(written))
    return read


def _other_outputs(subject: Subject, layer: Any, twin: Any, again: Any) -> str:
    """Return how the outputs differ; empty if they do between layers with equal arguments, too."""
    for other in (twin, again):
        same_state(layer, other)
    outputs = subject.outputs(layer)
    if differ(outputs, subject.outputs(twin)):
        return ""  # State that can't be copied, which other checks find.
    return differ(outputs, subject.outputs(again))


def _attributes_kept(subject: Subject, layer: Any, again: Any) -> Iterator[Finding]:
    """Yield a finding for each attribute named like an argument that differs."""
    for name in sorted(subject.parameters.keys() - LAYER_ATTRIBUTES):
        before, after = getattr(layer, name, None), getattr(again, name, None)
        if _described(before) != _described(after):
            where = subject.source.where("get_config", "__init__")
            expected = f"`{name}` to come back as {before!r} ({type(before).__name__})"
            yield Finding(expected, f"{after!r} ({type(after).__name__})", where)


def _described(value: Any) -> Any:
    """Return what can be compared of an attribute: the type of what is not a plain value."""
    kind = type(value).__name__
    match value:
        case bool() | int() | float() | str() | None | set() | frozenset():
            return kind, value
        case list() | tuple():
            return kind, [_described(item) for item in value]
        case dict():
            return kind, {key: _described(item) for key, item in value.items()}
    return kind, value.tolist() if isinstance(value, np.ndarray) else None


@register(needs=("constructs",))
def registered(subject: Subject) -> Iterator[Finding]:
    """The class is registered with Keras under a unique name.

    `load_model`, `clone_model` and `pickle` don't find a class that isn't registered. A name that
    is used twice is worse: the class registered last is loaded instead of the other.

    Fix: decorate the class with `@keras.saving.register_keras_serializable(package="...")`, with
    the name of your project as the package.

    Example:
        - class Scale(keras.layers.Layer):
        + @keras.saving.register_keras_serializable(package="my_project")
        + class Scale(keras.layers.Layer):
              def __init__(self, factor=2.0, **kwargs):
                  super().__init__(**kwargs)
                  self.factor = factor
                  self.supports_masking = True

              def call(self, inputs):
                  return inputs * self.factor

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "factor": self.factor}
    """
    cls = subject.cls
    if subject.is_built_in:
        raise NotApplicable("Keras finds its own classes by their module")
    name = keras.saving.get_registered_name(cls)
    where = subject.source.at(None)
    if keras.saving.get_registered_object(name) is cls:
        if name.startswith("Custom>"):
            expected = "a package name before `>` that no other project uses"
            yield Finding(expected, f"`{name}`", where)
        return
    if name == cls.__name__:
        yield Finding("the class to be registered with Keras", "an unregistered class", where)
    else:
        other = keras.saving.get_registered_object(name)
        taken = f"{other.__module__}.{other.__qualname__}"
        yield Finding(f"`{name}` to refer to this class", f"{taken}", where)
