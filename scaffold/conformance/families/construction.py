"""Construction: the constructor accepts what Keras passes to it, and calls work at all."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from typing import Any

from scaffold.conformance.finding import Finding
from scaffold.conformance.lazy import keras
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.subject import Subject
from scaffold.keras_source.taken_names import LAYER_ATTRIBUTES


@register(needs=())
def imports(subject: Subject) -> Iterator[Finding]:
    """The module can be imported, and contains the class under its name.

    What can't be imported can't be loaded in another program either. `load_model`, `pickle` and
    worker processes look up the class by its module and name.

    Fix: change the line shown; move code that trains below `if __name__ == "__main__":`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Double(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def call(self, inputs):
                  return inputs * 2

              def compute_output_shape(self, input_shape):
                  return input_shape

        - print(Double()(ops.ones((2, 3))).numpy().total())
        + if __name__ == "__main__":
        +     print(ops.sum(Double()(ops.ones((2, 3)))))
    """
    if "<locals>" in subject.cls.__qualname__:
        raise NotApplicable("the class is defined inside a function")
    module = importlib.import_module(subject.cls.__module__)
    if getattr(module, subject.cls.__name__, None) is not subject.cls:
        expected = f"`{subject.cls.__name__}` in {module.__name__} to be the class"
        got = repr(getattr(module, subject.cls.__name__, None))
        yield Finding(expected, got, subject.source.at(None))


@register(needs=())
def constructs(subject: Subject) -> Iterator[Finding]:
    """The constructor works with the arguments of the case.

    Nothing else can be checked on a class that can't be instantiated.

    Fix: pass arguments with `--args`, or change the constructor at the line shown.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Scale(keras.layers.Layer):
              def __init__(self, factor=2.0, **kwargs):
                  super().__init__(**kwargs)
        -         self.factor = factr
        +         self.factor = factor
                  self.supports_masking = True

              def call(self, inputs):
                  return inputs * self.factor

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "factor": self.factor}
    """
    made = subject.make()
    if not isinstance(made, keras.layers.Layer):
        yield Finding("a Keras layer or model", f"a {type(made).__name__}")


@register(needs=("constructs",))
def runs(subject: Subject) -> Iterator[Finding]:
    """A call on the inputs of the case works.

    Nothing else can be checked on a layer that can't be called.

    Fix: pass suitable inputs with `--input`, or change the line shown.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Scale(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def build(self, input_shape):
                  self.scale = self.add_weight(shape=input_shape[-1:], initializer="ones")

              def call(self, inputs):
        -         return inputs * self.scales
        +         return inputs * self.scale

              def compute_output_shape(self, input_shape):
                  return input_shape
    """
    if not keras.tree.flatten(subject.call(subject.make())):
        yield Finding("at least one output", "none", subject.source.where("call"))


@register(needs=("constructs",))
def kwargs_forwarded(subject: Subject) -> Iterator[Finding]:
    """`name`, `dtype` and `trainable` reach `keras.layers.Layer`.

    Keras passes all three to the constructor when it loads a saved layer. Without `**kwargs` in the
    constructor, loading fails; with `**kwargs` that are not passed on, the name, the precision and
    the frozen state are silently lost.

    Fix: take `**kwargs` and call `super().__init__(**kwargs)` first.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Scale(keras.layers.Layer):
              def __init__(self, factor=2.0, **kwargs):
        -         super().__init__()
        +         super().__init__(**kwargs)
                  self.factor = factor
                  self.supports_masking = True

              def call(self, inputs):
                  return inputs * self.factor

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "factor": self.factor}
    """
    dtype = "int32" if "int" in subject.make().compute_dtype else "float16"
    given = {"name": "another_name", "dtype": dtype, "trainable": False}
    where = subject.source.where("__init__")
    layer = subject.make(**given)
    got = {"name": layer.name, "dtype": layer.dtype_policy.name, "trainable": layer.trainable}
    if subject.is_model and getattr(layer, "inputs", None):
        got["dtype"] = dtype  # Functional models have no dtype of their own.
    for key, value in given.items():
        if got[key] != value:
            yield Finding(f"`{key}={value!r}` to be kept", f"{key}={got[key]!r}", where)


@register(needs=("constructs",))
def unknown_argument_refused(subject: Subject) -> Iterator[Finding]:
    """The constructor rejects unknown arguments.

    A constructor that takes `**kwargs` and drops what it doesn't know accepts a misspelled
    argument: the layer works, with the default.

    Fix: pass all of `**kwargs` to `super().__init__`, which rejects unknown arguments.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Scale(keras.layers.Layer):
              def __init__(self, factor=2.0, **kwargs):
        -         known = {"name", "dtype", "trainable"}
        -         super().__init__(**{k: v for k, v in kwargs.items() if k in known})
        +         super().__init__(**kwargs)
                  self.factor = factor
                  self.supports_masking = True

              def call(self, inputs):
                  return inputs * self.factor

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "factor": self.factor}
    """
    try:
        subject.make(no_such_argument=1)
    except (TypeError, ValueError):
        return
    where = subject.source.where("__init__")
    yield Finding("an error for `no_such_argument=1`", "none: it is dropped", where)


@register(needs=("constructs",))
def defaults_not_shared(subject: Subject) -> Iterator[Finding]:
    """No two instances share an object that is a constructor default.

    Python evaluates a default once. A layer as a default is shared by all instances, with one set
    of weights; an initializer gives all of them the same initial values; a list grows from one to
    the next.

    Fix: use `None` or a string as the default, and create the object in the constructor.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Embed(keras.layers.Layer):
        -     def __init__(self, init=keras.initializers.RandomNormal(), **kwargs):
        +     def __init__(self, init="random_normal", **kwargs):
                  super().__init__(**kwargs)
                  self.init = keras.initializers.get(init)

              def build(self, input_shape):
                  self.table = self.add_weight(
                      name="table", shape=(16, 4), initializer=self.init
                  )

              def call(self, inputs):
                  return ops.take(self.table, inputs, axis=0)

              def compute_output_shape(self, input_shape):
                  return (*input_shape, 4)

              def get_config(self):
                  init = keras.initializers.serialize(self.init)
                  return {**super().get_config(), "init": init}

              @classmethod
              def scaffold_cases(cls):
                  return [{"input": "2,6:int32:0..16"}]
    """
    where = subject.source.where("__init__")
    defaults = {name: parameter.default for name, parameter in subject.parameters.items()}
    for name, default in defaults.items():
        if isinstance(default, keras.layers.Layer) or hasattr(default, "_init_seed"):
            yield Finding(f"a new `{name}` for each instance",
                          f"one {type(default).__name__} for all", where)  # fmt: skip
    before = {name: repr(default) for name, default in defaults.items() if _grows(default)}
    others = {name: value for name, value in subject.case.args.items() if name not in before}
    subject.like(args=others).make()
    for name, text in before.items():
        if repr(defaults[name]) != text:
            got = f"{repr(defaults[name])[:80]} after another instance"
            yield Finding(f"the default of `{name}` to stay {text}", got, where)


def _grows(value: Any) -> bool:
    return isinstance(value, list | dict | set)


@register(needs=())
def attribute_names(subject: Subject) -> Iterator[Finding]:
    """No attribute has a name that a backend uses internally.

    On Torch a layer is a `torch.nn.Module`, on TensorFlow a trackable object. An attribute named
    `forward` or `_losses` works on one backend and breaks on another, far from the cause.

    Fix: rename the attribute.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Shift(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
        -         self.forward = 1.0
        +         self.distance = 1.0
                  self.supports_masking = True

              def call(self, inputs):
        -         return inputs + self.forward
        +         return inputs + self.distance

              def compute_output_shape(self, input_shape):
                  return input_shape
    """
    if subject.source.tree is None or subject.is_built_in:
        raise NotApplicable("its source can't be found, or is Keras's own")
    of_keras = _names_of_keras()
    for node in ast.walk(subject.source.tree):
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)]):
                hidden = name in LAYER_ATTRIBUTES - of_keras and _makes_state(node.value)
                if hidden or _is_internal(name):
                    got = f"`{name}`, which Keras, Torch or TensorFlow uses internally"
                    yield Finding("an unreserved attribute name", got, subject.source.at(node))


def _names_of_keras() -> set[str]:
    """Return the attributes that Keras itself gives a layer, without those of the backend."""
    classes = [cls for cls in keras.layers.Layer.__mro__ if cls.__module__.startswith("keras")]
    return {*vars(keras.layers.Layer()), *(name for cls in classes for name in vars(cls))}


def _is_internal(name: str) -> bool:
    private = name.startswith("_") and not name.startswith("__")
    return name == "forward" or (private and name in LAYER_ATTRIBUTES)


def _makes_state(value: ast.expr) -> bool:
    """Return whether a layer or weight is created: Torch keeps those behind its own methods."""
    if not isinstance(value, ast.Call):
        return False
    name = ast.unparse(value.func).rpartition(".")[2]
    return name == "add_weight" or name[:1].isupper()
