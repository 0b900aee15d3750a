"""Configuration: what `get_config` writes is all that the constructor needs."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.conformance.finding import Finding
from scaffold.conformance.registry import register
from scaffold.conformance.subject import Subject

_BASE = ("name", "dtype", "trainable", "autocast", "activity_regularizer")


@register(needs=("kwargs-forwarded",))
def config_complete(subject: Subject) -> Iterator[Finding]:
    """Every argument of the constructor is in the config.

    A saved model is its config and its weights. An argument that `get_config` leaves out comes
    back as its default, and the loaded model gives other numbers without a word.

    Mend: write each argument into the dict that `get_config` returns.

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
    config = subject.make().get_config()
    missing = [name for name in subject.parameters if name not in config and name not in _BASE]
    for name in missing:
        where = subject.source.where("get_config", "__init__")
        yield Finding(f"`{name}` in the config", f"only {', '.join(sorted(config))}", where)
