"""Attributes that Keras turns into objects: activations, initializers, layers, seeds ..."""

from __future__ import annotations

import re
from typing import ClassVar

from scaffold.generation.attributes.base import AttributeType, Default, Value
from scaffold.text import nearest


class _Named(AttributeType):
    """Something that Keras looks up by its name; `None` for none."""

    known: ClassVar[str] = ""

    def parse(self, text: str) -> Value:
        return self.accept(text)

    def accept(self, value: object) -> Value:
        if value in ("None", None):
            return None
        if not isinstance(value, str) or value not in self._known():
            near = nearest(str(value), self.completions())
            raise ValueError(f"{value!r} is not a Keras {self.keyword}{near}")
        return value

    def phrase(self) -> str:
        return self.keyword

    def completions(self) -> tuple[str, ...]:
        return tuple(sorted(name for name in self._known() if name.islower()))

    def _known(self) -> frozenset[str]:
        from scaffold.keras_source import taken_names

        names: frozenset[str] = getattr(taken_names, self.known)
        return names


class Activation(_Named):
    """An activation function."""

    keyword: ClassVar[str] = "activation"
    known: ClassVar[str] = "ACTIVATIONS"

    def changed(self, default: Default) -> Value:
        return "tanh" if default != "tanh" else "sigmoid"


class Initializer(_Named):
    """A weight initializer."""

    keyword: ClassVar[str] = "initializer"
    known: ClassVar[str] = "INITIALIZERS"


class Regularizer(_Named):
    """A regularizer of weights or outputs."""

    keyword: ClassVar[str] = "regularizer"
    known: ClassVar[str] = "REGULARIZERS"


class WeightConstraint(_Named):
    """A weight constraint."""

    keyword: ClassVar[str] = "constraint"
    known: ClassVar[str] = "CONSTRAINTS"


class Seed(AttributeType):
    """The seed of a random number generator, which the layer then owns."""

    keyword: ClassVar[str] = "seed"

    def parse(self, text: str) -> Value:
        if not re.fullmatch(r"\d{1,9}", text):
            raise ValueError(f"`{text}` is not a seed: an int from 0 to 999999999, or None")
        return int(text)

    def accept(self, value: object) -> Value:
        if value in ("None", None):
            return None
        return self.parse(str(value))

    def phrase(self) -> str:
        return "seed"

    def changed(self, default: Default) -> Value:
        return 7 if default != 7 else 8


class LayerType(AttributeType):
    """A Keras layer, which the generated layer holds, builds, applies and saves."""

    keyword: ClassVar[str] = "layer"

    @property
    def error(self) -> str:
        return "TypeError"

    def parse(self, text: str) -> Value:
        return self.accept(text)

    def accept(self, value: object) -> Value:
        if value not in ("None", None):
            raise ValueError(
                "a layer can't be a default, because all instances would share its weights; "
                "leave it out, or write `=None`"
            )
        return None

    def phrase(self) -> str:
        return "layer"
