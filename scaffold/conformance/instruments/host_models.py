"""Models around the checked layer, importable so that what they save loads anywhere.

Import this module only inside functions: it imports Keras.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import keras

from scaffold.cases import Case, plain, restored
from scaffold.conformance.subject import Data, Subject


@keras.saving.register_keras_serializable(package="scaffold")
class Holder(keras.Model):  # type: ignore[misc]
    """A subclassed model with its own `build` and a single layer.

    It takes a flat list of tensors, so that `fit` can feed it whatever the layer takes.

    Args:
        layer: The layer.
        inputs: First argument of the layer's `call`.
        call: Its other arguments.
    """

    def __init__(
        self, layer: Any, inputs: Any, call: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        self.layer = layer
        self.subject = Subject(type(layer), Case(inputs=inputs, call=call or {}))
        self.template = self.subject.data()

    def build(self, input_shape: Any) -> None:
        if not self.layer.built:
            self.subject.build_alone(self.layer)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        given = self.template.filled(keras.tree.flatten(inputs))
        return self.layer(given.inputs, **given.call, training=training)

    def get_config(self) -> dict[str, Any]:
        layer = keras.saving.serialize_keras_object(self.layer)
        layer.pop("build_config", None)  # `build` is what this model is about
        case = self.subject.case
        inputs, call = plain(case.inputs), plain(case.call)
        return {**super().get_config(), "layer": layer, "inputs": inputs, "call": call}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        layer = keras.saving.deserialize_keras_object(config.pop("layer"))
        inputs, call = restored(config.pop("inputs")), restored(config.pop("call"))
        return cls(layer, inputs, call, **config)


@keras.saving.register_keras_serializable(package="scaffold")
class Task(Holder):
    """A `Holder` that returns only the float outputs, as a flat list, to fit them."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        outputs = keras.tree.flatten(super().call(inputs, training=training))
        return [tensor for tensor in outputs if is_float(tensor)]


def is_float(tensor: Any) -> bool:
    """Return whether an output, which may be `None`, is a float tensor."""
    return tensor is not None and "float" in keras.backend.standardize_dtype(tensor.dtype)


def held(subject: Subject, layer: Any) -> Any:
    """Return a built `Holder` of a layer."""
    holder = Holder(layer, subject.case.inputs, subject.case.call)
    holder(marked(subject))
    return holder


def marked(subject: Subject, data: Data | None = None) -> list[Any]:
    """Return the inputs of a `Holder` or a Functional model: all tensors with their masks, flat."""
    return subject.tensors(data or subject.data()).tensors()
