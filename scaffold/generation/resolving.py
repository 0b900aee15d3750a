"""From a request to a spec, and to everything that follows from it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial

from scaffold.errors import UsageError
from scaffold.generation.arguments import arguments_of, with_attribute
from scaffold.generation.attributes import REQUIRED, Default, Value
from scaffold.generation.catalog import Catalog
from scaffold.generation.composition import (
    DATA,
    Composition,
    Stage,
    compose,
    data_for,
    read_use,
)
from scaffold.generation.deriving import on_base
from scaffold.generation.naming import check_class_name, check_package
from scaffold.generation.render import Style, render
from scaffold.generation.request import Request
from scaffold.generation.spec import Argument, Resolved, Spec
from scaffold.generation.template import Meaning, Options, Template
from scaffold.keras_source import read_base

_STEPS = (
    "`call` of {base} sees whole sequences only: to change a step, use `--base {cell}` and pass "
    "the cell to keras.layers.RNN"
)


def resolve(catalog: Catalog, request: Request, package: str) -> Resolved:
    """Return the spec of a request, with everything that follows from it.

    Args:
        catalog: The templates.
        request: The request.
        package: The package to register the class under by default.

    Raises:
        UsageError: If a name, an option, an attribute or a layer is invalid.
        UnsafeError: If a name contains invisible characters.
        MissingError: If Keras is needed and not installed, or a layer's file is not found.
    """
    if request.name is None:
        raise UsageError("no class name given", fix="Add one, as in `scaffold layer MyConv`.")
    with request.at("name"):
        check_class_name(request.name)
    template, meaning, reason = _chosen(catalog, request)
    base = request.base or template.base
    if base:
        with request.at("base"):
            template = on_base(template, read_base(base))
    chosen = {**meaning.options, **_options(template, request)}
    options = template.options_with(chosen)
    with request.at("package"):
        package = check_package(request.package or package)
    request.compiled.check(request.at)
    layers = _layers(template, request)
    composition = None
    if layers:
        composition = compose(catalog, request.name, layers, partial(generated_module, catalog))
        _check_sequence(template, options, composition)
        options[DATA] = data_for(template, composition, str(chosen.get(DATA, "")))
    spec = Spec(
        request.target,
        request.name,
        template.name,
        package,
        options,
        base=template.source if base else "",
        layers=layers,
        compiled=request.compiled,
    )
    for attribute in request.attributes:
        spec = with_attribute(spec, template, attribute)
    assigned = {**template.defaults_for(meaning, options), **spec.assigned}
    spec = replace(spec, assigned=assigned)
    arguments = arguments_of(spec, template)
    given = {attribute.name for attribute in request.attributes}
    return Resolved(
        spec,
        template,
        arguments,
        composition,
        tuple(_beside(catalog, composition, package)) if composition else (),
        reason,
        tuple(_notes(spec, template, arguments, given)),
    )


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


def _layers(template: Template, request: Request) -> tuple[Stage, ...]:
    """Return the layers of a composed model: by default the template's own."""
    if request.layers and not template.layers:
        raise UsageError(
            f"the template `{template.name}` has its own layers",
            fix="Remove --template or --layer.",
        )
    return request.layers or tuple(map(read_use, template.layers))


def _check_sequence(template: Template, options: Options, composition: Composition) -> None:
    for name, values in template.sequence_if.items():
        if options[name] in values and not composition.is_sequence:
            other = next(v for v in template.option(name).values if v not in values)
            raise UsageError(
                "a model with branches, or with a layer of several inputs, "
                f"can't be {options[name]}",
                fix=f"Use `--{name} {other}`.",
            )


def _beside(catalog: Catalog, composition: Composition, package: str) -> Iterator[Resolved]:
    for one in composition.beside:
        request = Request("layer", one.name, one.template, options=one.options)
        yield resolve(catalog, request, package)


def generated_module(
    catalog: Catalog, name: str, template: str, options: Mapping[str, str]
) -> ast.Module:
    """Return the module of a template's class, to read what the layer does to its input."""
    return ast.parse(_source(catalog, name, template, tuple(sorted(options.items()))))


@cache
def _source(
    catalog: Catalog, name: str, template: str, options: tuple[tuple[str, str], ...]
) -> str:
    request = Request("layer", name, template, options=dict(options))
    resolved = resolve(catalog, request, "package")
    return render(catalog, resolved, Style(), resolved.spec.module, ["layer"])["layer"]


def _notes(
    spec: Spec, template: Template, arguments: Collection[Argument], given: Collection[str]
) -> Iterator[str]:
    for one in arguments:
        name = one.attribute.name
        if one.rule is not None and one.assigned and name not in given:
            why = (
                "implied by the class name"
                if name in spec.assigned
                else "needs a default because an attribute before it has one"
            )
            yield f"{name}={one.attribute.type.text(_given(one.attribute.default))}: {why}"
    if template.base_layer and template.base_layer.cell:
        yield _STEPS.format(base=spec.base, cell=template.base_layer.cell)


def _given(default: Default) -> Value:
    assert default is not REQUIRED
    return default
