"""A spec: a request checked against its template, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scaffold.generation.attributes import Attribute, Default, Value
from scaffold.generation.composition import CompileArguments, Composition, Stage
from scaffold.generation.naming import module_name
from scaffold.generation.template import Options, Template, TemplateAttribute


@dataclass(frozen=True)
class Spec:
    """One class to generate.

    Args:
        target: `layer` or `model`.
        name: The class name.
        template: The template's name.
        package: The package that Keras registers the class under.
        options: A value for each option of the template.
        assigned: New defaults of the template's attributes.
        own: The user's own attributes, in order.
        base: The Keras layer to derive from, if the template is for that.
        layers: The layers that the model is composed of, if the template is for that.
        compiled: What a model is compiled with, where it differs from the template's.
    """

    target: str
    name: str
    template: str
    package: str
    options: Options = field(default_factory=dict)
    assigned: Mapping[str, Value] = field(default_factory=dict)
    own: tuple[Attribute, ...] = ()
    base: str = ""
    layers: tuple[Stage, ...] = ()
    compiled: CompileArguments = field(default_factory=CompileArguments)

    @property
    def module(self) -> str:
        return module_name(self.name)


@dataclass(frozen=True)
class Argument:
    """One argument of the generated constructor, in its final position.

    `plain` is the template's own default, which differs from `attribute.default` if the spec
    assigned another; `rule` is its entry in the manifest, `None` for a user's own attribute.
    """

    attribute: Attribute
    plain: Default
    rule: TemplateAttribute | None

    @property
    def assigned(self) -> bool:
        return self.attribute.default != self.plain

    @property
    def error(self) -> str:
        """The exception that the generated code raises for a bad value, if a macro checks it."""
        by_hand = self.rule is not None and "check" in self.rule.by_hand
        return "" if by_hand else self.attribute.type.error

    @property
    def is_unlike_plain(self) -> bool:
        """Whether a test has to pass it to get the template's plain layer."""
        return self.attribute.required if self.rule is None else self.assigned

    @property
    def spoils_plain(self) -> bool:
        """Whether an example has to pass it to keep its shapes and stay valid."""
        return self.is_unlike_plain and (
            self.rule is None or self.attribute.type.keyword in ("int", "ints", "enum")
        )


@dataclass(frozen=True)
class Resolved:
    """A spec with everything that follows from it, computed once.

    Args:
        spec: The spec.
        template: Its template; with the arguments of the Keras layer that the class derives from.
        arguments: The constructor's arguments, in order.
        composition: The layers of a composed model.
        beside: The classes to generate beside a composed model.
        reason: Why the template was chosen.
        notes: What was decided without a request, and where the class is a dead end.
    """

    spec: Spec
    template: Template
    arguments: tuple[Argument, ...]
    composition: Composition | None = None
    beside: tuple[Resolved, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()
