"""A spec: a request checked against its template, the same whatever its origin."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from scaffold.errors import Place, Source, UsageError, pointing
from scaffold.generation.attributes import REQUIRED, Attribute, Default, Value
from scaffold.generation.attributes.grammar import Assignment, Declaration
from scaffold.generation.catalog import Catalog
from scaffold.generation.composition import DATA, Compiled, Stage, compose, data_for, read_use
from scaffold.generation.deriving import on_base
from scaffold.generation.meant import meant
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
    "`call` of {base} sees whole sequences only: to change a step, use `--base {cell}` and pass "
    "the cell to keras.layers.RNN"
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
    compiled: Compiled = field(default_factory=Compiled)

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
class Request:
    """What the user requested, as typed, answered or written in a file; not validated.

    `None` means not given. `sources` says where some of it is from: by the name of a field,
    `option rank`, `loss`, `optimizer` or `metric mae`.
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
    sources: Mapping[str, Source] = field(default_factory=dict, compare=False, repr=False)

    def at(self, what: str, *, by_name: bool = False) -> AbstractContextManager[None]:
        """Have errors point at the value of `what`, or at its name, if its source is known."""
        if not (source := self.sources.get(what)):
            return nullcontext()
        return pointing(source.name if by_name else source.value)

    def over(self, other: Request) -> Request:
        """Return this request, completed by what only `other` has; attributes keep `other`'s order.

        Raises:
            UsageError: If the two have different targets.
        """
        if self.target != other.target:
            raise UsageError(
                f"the spec is for a {other.target}, not a {self.target}",
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
            {**other.sources, **self.sources},
        )


def _over(new: Assignment | Declaration, old: Assignment | Declaration) -> Assignment | Declaration:
    """Return `new`, or `old` with another default if `new` only assigns one to it."""
    if not (isinstance(new, Assignment) and isinstance(old, Declaration)):
        return new
    try:
        default = old.attribute.read(new.value)
    except ValueError as error:
        raise UsageError(f"`{new.name}`: {error}", place=new.place()) from None
    return replace(old, attribute=replace(old.attribute, default=default))


def make_spec(catalog: Catalog, request: Request, package: str) -> tuple[Spec, str]:
    """Return a valid spec, and why its template was chosen; `package` is the default package.

    Raises:
        UsageError: If a name, an option or an attribute is invalid.
        UnsafeError: If a name contains invisible characters.
    """
    if request.name is None:
        raise UsageError("no class name given", fix="Add one, as in `scaffold layer MyConv`.")
    target, name = request.target, request.name
    with request.at("name"):
        check_class_name(name)
    chosen, meaning, reason = _chosen(catalog, request)
    base = request.base or chosen.base
    if base:
        with request.at("base"):
            chosen = on_base(chosen, read_base(base))
    read = _options(chosen, request)
    options = chosen.options_with({**meaning.options, **read})
    with request.at("package"):
        package = check_package(request.package or package)
    request.compiled.check(request.at)
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
    """Return the requested template, what its word means, and why it was chosen."""
    if request.template is None and request.base:
        return catalog.deriving(request.target), Meaning(), "it derives from a Keras layer"
    if request.template is None and request.layers:
        return catalog.composing(request.target), Meaning(), "it is composed of layers"
    if request.template is None:
        return catalog.pick(request.target, str(request.name))
    with request.at("template"):
        template, meaning = catalog.find(request.target, request.template)
    if request.base and not template.base:
        raise UsageError(
            f"the template `{template.name}` does not derive from a Keras layer",
            fix="Remove --template or --base.",
        )
    return template, meaning, "as requested"


def _options(template: Template, request: Request) -> dict[str, int | str | bool]:
    """Return the values of the options that were given."""
    read = {}
    for key, text in request.options.items():
        with request.at(f"option {key}", by_name=True):
            option = template.option(key)
        with request.at(f"option {key}"):
            read[key] = option.read(text)
    return read


def _layers(
    catalog: Catalog, template: Template, request: Request, options: Options
) -> tuple[Stage, ...]:
    """Return the layers of the model, validated: by default the template's own."""
    if not template.layers:
        if request.layers:
            raise UsageError(
                f"the template `{template.name}` has its own layers",
                fix="Remove --template or --layer.",
            )
        return ()
    layers = request.layers or tuple(map(read_use, template.layers))
    composition = compose(catalog, str(request.name), layers, "")
    if options.get("style") == "sequential" and not composition.is_sequence:
        raise UsageError(
            "a model with branches, or with a layer of several inputs, can't be sequential",
            fix="Use `--style functional`.",
        )
    return layers


def template_of(catalog: Catalog, spec: Spec) -> Template:
    """Return the template of a spec, with the arguments of its base."""
    template = catalog.get(spec.target, spec.template)
    return on_base(template, read_base(spec.base)) if spec.base else template


def arguments_of(spec: Spec, template: Template) -> tuple[Argument, ...]:
    """Return the constructor's arguments in order.

    A template argument that needs a default, because one before it was given one, gets the
    manifest's `fallback`. With a base, the order does not matter: added or changed arguments are
    passed by name.

    Raises:
        UsageError: If a required attribute of the user's would follow one with a default.
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
    """Refuse defaults that the class itself would refuse."""
    attributes = (argument.attribute for argument in arguments)
    given = {one.name: one.default for one in attributes if one.default is not REQUIRED}
    for rule in template.rules_for(options):
        rule.check(given)


def notes_of(spec: Spec, template: Template, given: Collection[str]) -> list[str]:
    """Return what was decided without a request, where the user has `given` these attributes.

    It also tells where the class is a dead end.
    """
    defaults = [
        f"{name}={a.attribute.type.text(_given(a.attribute.default))}: "
        + (
            "implied by the class name"
            if name in spec.assigned
            else "needs a default because an attribute before it has one"
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
    place = attribute.name_place()
    if attribute.name in spec.assigned or attribute.name in {a.name for a in spec.own}:
        raise UsageError(
            f"`{attribute.name}` is given twice", fix="Remove one of them.", place=place
        )
    if isinstance(attribute, Assignment):
        return _assign(spec, template, rules, attribute, place)
    if attribute.name in rules:
        raise UsageError(
            f"the template `{template.name}` already has `{attribute.name}`",
            fix=f"Set its default with `{attribute.name}=...`.",
            place=place,
        )
    check_attribute_name(attribute.name, template.reserves, place)
    if attribute.attribute.type.keyword == "layer" and not template.takes_layers:
        raise UsageError(
            f"the template `{template.name}` can't contain another layer",
            fix="Put that layer before this one in a model, or use `--template blank`.",
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
                f"`{seed}_generator` is already the name of the generator of the seed `{seed}`",
                fix=f"Call it `{seed}_generator_value`, for example.",
                place=place,
            )
    return replace(spec, own=own)


def _assign(
    spec: Spec,
    template: Template,
    rules: Mapping[str, TemplateAttribute],
    given: Assignment,
    place: Place | None,
) -> Spec:
    if given.name not in rules:
        raise UsageError(
            f"the template `{spec.template}` has no attribute `{given.name}`"
            f"{nearest(given.name, rules)}",
            fix=meant(given, template, rules),
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
