"""The template of a class that derives from a Keras layer, with that layer's attributes."""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass, replace

from scaffold.generation.attributes import REQUIRED, Attribute, AttributeType, Value
from scaffold.generation.sample import IN_A_MODEL, sample_of
from scaffold.generation.template import DeclaredCase, Options, Template, TemplateAttribute
from scaffold.keras_source.signature import BaseLayer

# In the template's folder: what each layer can be created and called with.
_SAMPLES = "samples.toml"
_WORDS = {"true": True, "false": False}


@dataclass(frozen=True)
class Inherited(AttributeType):
    """An argument that the base checks itself: its values are kept as source."""

    keyword = "inherited"

    def parse(self, text: str) -> Value:
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = _WORDS.get(text, text)
        return super().source(value)

    def accept(self, value: object) -> Value:
        return self.parse(str(value))

    def phrase(self) -> str:
        return "argument of the base"

    def source(self, value: Value) -> str:
        return str(value)


@dataclass(frozen=True)
class InheritedAttribute(TemplateAttribute):
    """An attribute that is passed to the base's constructor unchanged."""

    def resolve(self, options: Options) -> Attribute:
        return Attribute(self.name, Inherited(), self.default, self.doc, takes_none=True)


def on_base(template: Template, base: BaseLayer) -> Template:
    """Return the template with the arguments of `base`, and cases that fit it."""
    attributes = tuple(
        InheritedAttribute(
            name=parameter.name,
            type=Inherited.keyword,
            default=REQUIRED if parameter.default is None else parameter.default,
            doc=f"As in `{base.name}`.",
            by_hand=("check",),
            base=True,
        )
        for parameter in base.constructor.plain
    )
    samples = tomllib.loads((template.folder / _SAMPLES).read_text(encoding="utf-8"))
    data = samples.get(base.class_name) or samples.get(base.name.rpartition(".")[2])
    return replace(
        template,
        source=base.name,
        attributes=attributes,
        reserves=tuple(sorted(base.kept)),
        cases=(
            (DeclaredCase({key: data[key] for key in data if key != IN_A_MODEL}, {}),)
            if data
            else ()
        ),
        base_layer=base,
        sample=sample_of(base, data) if data else None,
    )
