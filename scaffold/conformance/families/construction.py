"""Construction: the constructor takes what Keras hands it, and calls work at all."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.conformance.finding import Finding
from scaffold.conformance.lazy import keras
from scaffold.conformance.registry import register
from scaffold.conformance.subject import Subject


@register(needs=())
def constructs(subject: Subject) -> Iterator[Finding]:
    """The constructor works with the arguments of the case.

    Nothing else can be said of a class that can't be made.

    Mend: give arguments with `--args`, or mend the constructor at the line shown.

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

    Nothing else can be said of a layer that can't be called.

    Mend: give the inputs that the layer is for with `--input`, or mend the line shown.

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

    Keras hands all three back to the constructor when it loads a saved layer. A constructor
    without `**kwargs` makes loading fail; one that takes them and keeps them to itself loses the
    name, the precision and the frozen state without a word.

    Mend: take `**kwargs` and call `super().__init__(**kwargs)` first.

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
    given = {"name": "another_name", "dtype": "float16", "trainable": False}
    where = subject.source.where("__init__")
    layer = subject.make(**given)
    got = {"name": layer.name, "dtype": layer.dtype_policy.name, "trainable": layer.trainable}
    for key, value in given.items():
        if got[key] != value:
            yield Finding(f"`{key}={value!r}` to be kept", f"{key}={got[key]!r}", where)
