"""A spec: what is asked for, checked against its template, the same whatever it came from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from scaffold.errors import Place, UsageError
from scaffold.generation.attributes import REQUIRED, TYPES, Attribute, Default, Value
from scaffold.generation.attributes.grammar import Assignment, Declaration
from scaffold.generation.catalog import Catalog
from scaffold.generation.composition import DATA, Compiled, Stage, compose, data_for, read_use
from scaffold.generation.deriving import on_base
from scaffold.generation.naming import (
    check_attribute_name,
    check_class_name,
    check_package,
    module_name,
)
from scaffold.generation.template import Meaning, Options, Template, TemplateAttribute
from scaffold.keras_source import read_base
from scaffold.text import nearest

_STEPS = (
    "{cell} computes each step of {base}, and `call` sees whole sequences only: to change a step, "
    "write `--base {cell}`, and pass the cell to keras.layers.RNN"
)


@dataclass(frozen=True)
class Spec:
    """One class to generate.

    Args:
        target: `layer` or `model`.
        name: The class name.
        template: The template's name.
        package: The package that Keras registers the class under.
        options: A value for each option of the template.
        assigned: New defaults of attributes that the template has.
        own: The user's own attributes, in order.
        base: The layer of Keras to derive from, if the template is for that.
        layers: What the model is composed of, if the template is for that.
        compiled: What a model is compiled with, where it is not the template's.
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
    compiled: Compiled = field(default_factory=Compiled)

    @property
    def module(self) -> str:
        return module_name(self.name)


@dataclass(frozen=True)
class Argument:
    """One argument of the generated constructor, in its final place.

    `plain` is the template's own default, and differs from `attribute.default` where the
    spec assigned another; `rule` is what the manifest says of it, `None` for one's own.
    """

    attribute: Attribute
    plain: Default
    rule: TemplateAttribute | None

    @property
    def assigned(self) -> bool:
        return self.attribute.default != self.plain

    @property
    def error(self) -> str:
        """The exception that the generated code raises for a bad value, if its macro checks it."""
        by_hand = self.rule is not None and "check" in self.rule.by_hand
        return "" if by_hand else self.attribute.type.error

    @property
    def is_unlike_plain(self) -> bool:
        """Whether a test has to give it to get the template's plain layer."""
        return self.attribute.required if self.rule is None else self.assigned

    @property
    def spoils_plain(self) -> bool:
        """Whether an example has to give it, lest its shapes or its validity change."""
        return self.is_unlike_plain and (
            self.rule is None or self.attribute.type.keyword in ("int", "ints", "enum")
        )


@dataclass(frozen=True)
class Request:
    """What a person asked for, as typed, answered or written in a file; nothing checked.

    What is `None` was not said.
    """

    target: str
    name: str | None = None
    template: str | None = None
    package: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    attributes: tuple[Assignment | Declaration, ...] = ()
    base: str | None = None
    layers: tuple[Stage, ...] = ()
    compiled: Compiled = field(default_factory=Compiled)

    def over(self, other: Request) -> Request:
        """This request, completed by what only `other` says; attributes keep `other`'s order.

        Raises:
            UsageError: If the two ask for different targets.
        """
        if self.target != other.target:
            raise UsageError(
                f"the spec is for a {other.target}, not for a {self.target}",
                fix=f'Use `scaffold {other.target}`, or write `target = "{self.target}"`.',
            )
        mine = {attribute.name: attribute for attribute in reversed(self.attributes)}
        kept = tuple(_over(mine.get(old.name, old), old) for old in other.attributes)
        first = [mine[old.name] for old in other.attributes if old.name in mine]
        further = tuple(a for a in self.attributes if not any(a is taken for taken in first))
        return Request(
            self.target,
            self.name or other.name,
            self.template or other.template,
            self.package or other.package,
            {**other.options, **self.options},
            (*kept, *further),
            self.base or other.base,
            self.layers or other.layers,
            self.compiled.over(other.compiled),
        )


def _over(new: Assignment | Declaration, old: Assignment | Declaration) -> Assignment | Declaration:
    """`new`, which may just be another default of an attribute that `old` declares."""
    if not (isinstance(new, Assignment) and isinstance(old, Declaration)):
        return new
    try:
        default = old.attribute.read(new.value)
    except ValueError as error:
        raise UsageError(f"`{new.name}`: {error}", place=new.place()) from None
    return Declaration(replace(old.attribute, default=default), old.text)


def make_spec(catalog: Catalog, request: Request, package: str) -> tuple[Spec, str]:
    """A checked spec, and why it has its template; `package` is the one if none is asked for.

    Raises:
        UsageError: If a name, an option or an attribute can't be.
        UnsafeError: If a name holds what can't be seen.
    """
    if request.name is None:
        raise UsageError("no class name is given", fix="Write one, as in `scaffold layer MyConv`.")
    target, name = request.target, request.name
    check_class_name(name)
    chosen, meaning, reason = _chosen(catalog, request)
    base = request.base or chosen.base
    if base:
        chosen = on_base(chosen, read_base(base))
    read = {key: chosen.option(key).read(text) for key, text in request.options.items()}
    options = chosen.options_with({**meaning.options, **read})
    package = check_package(request.package or package)
    request.compiled.check()
    layers = _layers(catalog, chosen, request, options)
    if layers:
        wanted = str({**meaning.options, **read}.get(DATA, ""))
        options[DATA] = data_for(chosen, compose(catalog, name, layers, ""), wanted)
    spec = Spec(
        target,
        name,
        chosen.name,
        package,
        options,
        base=chosen.source if base else "",
        layers=layers,
        compiled=request.compiled,
    )
    for attribute in request.attributes:
        spec = _with(spec, chosen, attribute)
    spec = replace(spec, assigned={**chosen.defaults_for(meaning, options), **spec.assigned})
    arguments_of(spec, chosen)
    return spec, reason


def _chosen(catalog: Catalog, request: Request) -> tuple[Template, Meaning, str]:
    """The template that is asked for, what its word means, and why it is the one."""
    if request.template is None and request.base:
        return catalog.deriving(request.target), Meaning(), "it derives from a layer of Keras"
    if request.template is None and request.layers:
        return catalog.composing(request.target), Meaning(), "it is composed of layers"
    if request.template is None:
        return catalog.pick(request.target, str(request.name))
    template, meaning = catalog.find(request.target, request.template)
    if request.base and not template.base:
        raise UsageError(
            f"the template `{template.name}` derives from no layer of Keras",
            fix="Leave out --template, or --base.",
        )
    return template, meaning, "as asked"


def _layers(
    catalog: Catalog, template: Template, request: Request, options: Options
) -> tuple[Stage, ...]:
    """What the model is composed of, checked: the template's own layers where none are said."""
    if not template.layers:
        if request.layers:
            raise UsageError(
                f"the template `{template.name}` has layers of its own",
                fix="Leave out --template, or --layer.",
            )
        return ()
    layers = request.layers or tuple(map(read_use, template.layers))
    composition = compose(catalog, str(request.name), layers, "")
    if options.get("style") == "sequential" and not composition.is_sequence:
        raise UsageError(
            "a model with branches, or with a layer of several inputs, is not a sequence of layers",
            fix="Write `--style functional`.",
        )
    return layers


def template_of(catalog: Catalog, spec: Spec) -> Template:
    """The template of a spec, with what its base has."""
    template = catalog.get(spec.target, spec.template)
    return on_base(template, read_base(spec.base)) if spec.base else template


def arguments_of(spec: Spec, template: Template) -> tuple[Argument, ...]:
    """The constructor's arguments in order.

    An argument of the template that must have a default, because one before it has been
    given one, gets the manifest's `fallback`. On a base's arguments nothing follows by position:
    what is added or changed there is given by name.

    Raises:
        UsageError: If a required attribute of one's own would follow a default.
    """
    arguments: list[Argument] = []
    by_name = template.base_layer is not None
    defaulted = ""
    for rule in template.attributes_for(spec.options):
        attribute = rule.resolve(spec.options)
        plain = attribute.default
        if rule.name in spec.assigned:
            default = spec.assigned[rule.name]
            attribute = replace(attribute, default=default, takes_none=plain is None)
        elif attribute.required and defaulted and not by_name:
            attribute = rule.resolve_with_fallback(spec.options)
        defaulted = defaulted or ("" if attribute.required else rule.name)
        arguments.append(Argument(attribute, plain, rule))
    for attribute in spec.own:
        if attribute.required and defaulted and not by_name:
            raise UsageError(
                f"`{attribute.name}` is required, but follows `{defaulted}`, which has a default",
                fix=f"Give it a default: `{attribute.name}:{attribute.type.declaration()}="
                f"{'None' if attribute.type.keyword == 'layer' else '...'}`.",
            )
        defaulted = defaulted or ("" if attribute.required else attribute.name)
        arguments.append(Argument(attribute, attribute.default, None))
    _check_rules(arguments, template, spec.options)
    return tuple(arguments)


def _check_rules(arguments: Sequence[Argument], template: Template, options: Options) -> None:
    """Refuse defaults with which the class could not be made."""
    attributes = (argument.attribute for argument in arguments)
    given = {one.name: one.default for one in attributes if one.default is not REQUIRED}
    for rule in template.rules_for(options):
        rule.check(given)


def notes_of(spec: Spec, template: Template, given: Collection[str]) -> list[str]:
    """What was decided that the person, who has `given` these attributes, did not ask for.

    And where the class leads nowhere.
    """
    defaults = [
        f"{name}={a.attribute.type.text(_given(a.attribute.default))}: "
        + (
            "it is what the name says"
            if name in spec.assigned
            else "it needs a default, since one before it has got one"
        )
        for a in arguments_of(spec, template)
        if a.rule is not None and a.assigned and (name := a.attribute.name) not in given
    ]
    cell = template.base_layer.cell if template.base_layer else ""
    return [*defaults, *([_STEPS.format(base=spec.base, cell=cell)] if cell else [])]


def _given(default: Default) -> Value:
    assert default is not REQUIRED
    return default


def _with(spec: Spec, template: Template, attribute: Assignment | Declaration) -> Spec:
    rules = {rule.name: rule for rule in template.attributes_for(spec.options)}
    place = Place(attribute.text, 0, max(len(attribute.name), 1))
    if attribute.name in spec.assigned or attribute.name in {a.name for a in spec.own}:
        raise UsageError(
            f"`{attribute.name}` is given twice", fix="Leave one of them out.", place=place
        )
    if isinstance(attribute, Assignment):
        return _assign(spec, template, rules, attribute, place)
    if attribute.name in rules:
        raise UsageError(
            f"the template `{template.name}` has `{attribute.name}` already",
            fix=f"Give it another default with `{attribute.name}=...`.",
            place=place,
        )
    check_attribute_name(attribute.name, template.reserves, place)
    if attribute.attribute.type.keyword == "layer" and not template.takes_layers:
        raise UsageError(
            f"the template `{template.name}` has no place for a layer of your own",
            fix="Put it before this one in a model, or begin with `--template blank`.",
            place=place,
        )
    if attribute.name == spec.name or attribute.name == spec.module:
        raise UsageError(
            f"`{attribute.name}` is the name of the class or its module",
            fix=f"Call it `{attribute.name}_value`, for example.",
            place=place,
        )
    own = (*spec.own, attribute.attribute)
    kept = [a.name for a in own] + list(rules)
    for seed in (a.name for a in own if a.type.keyword == "seed"):
        if f"{seed}_generator" in kept:
            raise UsageError(
                f"`{seed}_generator` is what the generator of the seed `{seed}` is called",
                fix=f"Call it `{seed}_generator_value`, for example.",
                place=place,
            )
    return replace(spec, own=own)


def _assign(
    spec: Spec,
    template: Template,
    rules: Mapping[str, TemplateAttribute],
    given: Assignment,
    place: Place,
) -> Spec:
    if given.name not in rules:
        raise UsageError(
            f"the template `{spec.template}` has no attribute `{given.name}`"
            f"{nearest(given.name, rules)}",
            fix=_meant(given, template, rules),
            place=place,
        )
    attribute = rules[given.name].resolve(spec.options)
    try:
        value = attribute.read(given.value)
    except ValueError as error:
        raise UsageError(f"`{given.name}`: {error}", place=given.place()) from None
    if value is None and not attribute.optional:
        raise UsageError(f"`{given.name}` can't be None", place=given.place())
    return replace(spec, assigned={**spec.assigned, given.name: value})


def _meant(given: Assignment, template: Template, rules: Iterable[str]) -> str:
    """What the person may have meant by an attribute that the template has not."""
    if given.name in {option.name for option in template.options}:
        return f"It is an option: write `--option {given.text}`."
    known = f"It has {', '.join(rules) or 'none'}."
    name = given.name or "your_name"
    try:
        check_attribute_name(name, template.reserves)
    except UsageError as error:
        return f"{known} And {error.message} {error.fix}"
    own = f"{name}:{guessed_type(given.value)}={given.value}"
    return f"{known} For one of your own, write `{own}`."


def guessed_type(text: str) -> str:
    """The type that a value most likely has: `int` for `3`."""
    return next(
        (k for k in ("int", "float", "bool", "activation", "ints") if _reads(k, text)), "str"
    )


def _reads(keyword: str, text: str) -> bool:
    try:
        TYPES[keyword].declare(None, None).parse(text)
    except ValueError:
        return False
    return True
