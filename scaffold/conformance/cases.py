"""Where the cases of a class come from: what was said of it first, a search last."""

from __future__ import annotations

import inspect
import itertools
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from scaffold.attributes import REQUIRED, Attribute
from scaffold.base_layer import on_base, read_base
from scaffold.catalog import Catalog
from scaffold.conformance.case import Case, Input, case_from, written
from scaffold.conformance.subject import Subject
from scaffold.errors import UsageError
from scaffold.settings import PYPROJECT, nearest_project
from scaffold.template import Meaning, Options, Template

# What an argument without a default is given, by words in its name, the first that fits.
_GUESSES: tuple[tuple[str, Any], ...] = (
    ("activation", "tanh"),
    ("initializer", "glorot_uniform"),
    ("regularizer", None),
    ("rate", 0.25),
    ("dropout", 0.25),
    ("prob", 0.25),
    ("epsilon", 1e-3),
    ("alpha", 0.5),
    ("factor", 0.5),
    ("scale", 0.5),
    ("stddev", 0.5),
    ("momentum", 0.9),
    ("padding", "same"),
    ("heads", 2),
    ("kernel_size", 3),
    ("patch_size", 2),
    ("pool_size", 2),
    ("strides", 1),
    ("layers", 2),
    ("depth", 2),
    ("blocks", 2),
    ("vocab", 16),
    ("input_dim", 16),
    ("num_tokens", 16),
    ("length", 16),
    ("max", 16),
    ("classes", 4),
    ("layer", "keras.layers.Dense(8)"),
    ("cell", "keras.layers.SimpleRNNCell(8)"),
)
_BY_TYPE: dict[str, Any] = {"int": 8, "float": 0.5, "bool": True, "str": "same"}
_OF_ANY_KIND = (8, 0.5, "keras.layers.Dense(8)", "same", True, (3, 3), None)
_TRIES = 100
# Tried in this order; another comes first where the class's name says its rank.
_SHAPES: tuple[Any, ...] = (
    Input((2, 6, 8)),
    Input((2, 8, 10, 3)),
    Input((2, 8)),
    Input((2, 4, 5, 6, 3)),
    Input((2, 6), "int32", 0, 16),
    [Input((2, 6, 8)), Input((2, 6, 8))],
    [Input((2, 8)), Input((2, 8))],
    Input((2,)),
    [Input((2, 6, 8)), Input((2, 6, 6), low=0, high=1)],
    Input((2, 8, 10, 8)),  # with the channels that `filters` is guessed to be
)
_RANKS = {"1d": 0, "2d": 1, "3d": 3}


def cases_of(cls: Any, given: Mapping[str, Any], folder: Path) -> Iterator[tuple[Case, str]]:
    """The cases of a class, each with a sentence that says where it comes from.

    Args:
        cls: The class.
        given: What the command line says: a case's `args`, `input` and `tags`, or part of them.
        folder: Where the class's module is imported from.

    Raises:
        UsageError: If one is not well-formed.
    """
    parameters = list(inspect.signature(cls.call).parameters)[1:]
    found, origin = _declared(cls, folder)
    if "args" in given or "input" in given:
        found, origin = [{}], ""
    elif not found:
        yield from _of_template(cls, given, parameters)
        return
    for data in found:
        case = case_from({**data, **given}, parameters)
        yield _completed(cls, case, origin)


def _of_template(
    cls: Any, given: Mapping[str, Any], parameters: list[str]
) -> list[tuple[Case, str]]:
    """The cases of the template that the class comes from, if it can be called with them."""
    for template, options in _likely_templates(cls):
        of_base = f" for `{template.source}`" if template.base_layer else ""
        origin = f"its cases are those of the template `{template.name}`{of_base}"
        known = template.cases_for(options)
        if template.base_layer:
            known = [_open(cls, data) for data in known]
        cases = [case_from({**data, **given}, parameters) for data in known]
        completed = [_completed(cls, case, origin) for case in cases]
        if completed and all(_works(Subject(cls, case), training=True) for case, _ in completed):
            return completed
    return [_completed(cls, case_from(given, parameters), "")]


def _open(cls: Any, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """A case of the base without the arguments that the class gives to its base itself."""
    return {**data, "args": _only(Subject(cls, Case()).parameters, data.get("args", {}))}


def _declared(cls: Any, folder: Path) -> tuple[list[Any], str]:
    """What the class or its project say of it, and where."""
    declare = getattr(cls, "scaffold_cases", None)
    if declare is not None:
        return list(declare()), "its cases are those of `scaffold_cases`"
    project = nearest_project(folder)
    if project is None:
        return [], ""
    data = tomllib.loads((project / PYPROJECT).read_text(encoding="utf-8"))
    table = data.get("tool", {}).get("scaffold", {}).get("check", {})
    for key in (f"{cls.__module__}:{cls.__qualname__}", cls.__qualname__):
        if key in table:
            return list(table[key]), f"its cases are those of `[[tool.scaffold.check.{key}]]`"
    return [], ""


def _completed(cls: Any, case: Case, origin: str) -> tuple[Case, str]:
    """The case with what it leaves open: arguments from the signature, inputs from a search."""
    chosen = _chosen(cls, case)
    whole = replace(case, args={**case.args, **chosen})
    words = [f"`{name}={value!r}`" for name, value in chosen.items()]
    said = [origin, f"chosen by name: {', '.join(words)}" if words else ""]
    if case.inputs is None:
        whole, tried = _search(cls, whole)
        said.append(tried)
    return whole, "; ".join(filter(None, said))


def _chosen(cls: Any, case: Case) -> dict[str, Any]:
    """A value for each argument that has no default and is not given: the first that is taken."""
    parameters = Subject(cls, Case()).parameters.values()
    empty = inspect.Parameter.empty
    missing = [p for p in parameters if p.default is empty and p.name not in case.args]
    usual = [_usual(parameter) for parameter in missing]
    names = [parameter.name for parameter in missing]
    guesses = [dict(zip(names, values, strict=True)) for values in itertools.product(*usual)]
    tested = [guesses[0] | _only(names, of_template) for of_template in _template_arguments(cls)]
    tries = [*tested, *guesses][:_TRIES]
    return next((values for values in tries if _is_taken(cls, case, values)), tries[0])


def _only(names: Iterable[str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


def _is_taken(cls: Any, case: Case, values: Mapping[str, Any]) -> bool:
    try:
        Subject(cls, replace(case, args={**case.args, **values})).make()
    except Exception:  # The values are ours: that they are refused is no finding.
        return False
    return True


def _usual(parameter: inspect.Parameter) -> list[Any]:
    """Usual values for an argument: by a word in its name, by its annotation, else of any kind."""
    for word, value in _GUESSES:
        if word in parameter.name:
            return [value]
    annotation = parameter.annotation
    kind = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return [_BY_TYPE[kind]] if kind in _BY_TYPE else list(_OF_ANY_KIND)


def _template_arguments(cls: Any) -> list[dict[str, Any]]:
    """What the templates that the class may come from test its required arguments with.

    A layer is left to the usual values.
    """
    return [
        {
            a.name: a.type.changed(REQUIRED)
            for a in _attributes(template, options)
            if a.required and a.type.keyword != "layer"
        }
        for template, options in _likely_templates(cls)
        if not template.base_layer
    ]


def _likely_templates(cls: Any) -> Sequence[tuple[Template, Options]]:
    """The variants of templates whose attributes the class has, those with the most of them.

    The one that the class's name calls for comes first.
    """
    catalog = Catalog.builtin()
    names = set(Subject(cls, Case()).parameters)
    target = _target(cls)
    called, meaning = _named_for(catalog, target, cls.__name__)
    variants = [
        (template, options, len(attributes))
        for template in catalog.templates(target)
        for options in template.variants()
        if (attributes := {a.name for a in _attributes(template, options)}) <= names
    ]
    by_name = [
        (template, options)
        for template, options, _ in variants
        if template == called and meaning.options.items() <= options.items()
    ]
    most = max((number for *_, number in variants), default=0)
    alike = [(template, options) for template, options, number in variants if number == most > 0]
    first = [one for one in by_name if one in alike or not most]
    return [*_of_base(catalog, cls), *first, *(one for one in alike if one not in by_name)]


def _named_for(catalog: Catalog, target: str, name: str) -> tuple[Template | None, Meaning]:
    """The template that the name calls for, if it is one."""
    try:
        template, meaning, _ = catalog.pick(target, name)
    except UsageError:
        return None, Meaning()
    return template, meaning


def _target(cls: Any) -> str:
    from keras import Model

    return "model" if issubclass(cls, Model) else "layer"


def _of_base(catalog: Catalog, cls: Any) -> list[tuple[Template, Options]]:
    """The template of a class that derives from a public layer of Keras which can be called."""
    from keras import layers

    for parent in cls.__mro__[1:]:
        name = parent.__name__
        if getattr(layers, name, None) is parent and parent is not layers.Layer:
            try:
                template = on_base(catalog.deriving("layer"), read_base(name))
            except UsageError:  # a layer that nothing can be added to, such as `Wrapper`
                return []
            return [(template, {})] if template.sample else []
    return []


def _attributes(template: Template, options: Options) -> list[Attribute]:
    return [rule.resolve(options) for rule in template.attributes_for(options)]


def _search(cls: Any, case: Case) -> tuple[Case, str]:
    """The case with the first usual inputs that the class can be called with, and what was tried.

    Where there are none, the checks are left to say so with the first ones.
    """
    _, *others = _tensors_of_call(cls)
    shapes = list(_ordered(cls.__name__.lower()))
    found = [
        replace(case, inputs=s, call={**dict.fromkeys(others, s), **case.call}) for s in shapes
    ]
    works = next((i for i, one in enumerate(found) if _works(Subject(cls, one))), None)
    failed = ", ".join(f"`{written(shape)}`" for shape in shapes[:works])
    tried = [f"{failed} did not work"] * bool(failed)
    if works is not None:
        tried.append(f"`{written(shapes[works])}` works")
    return found[works or 0], f"no input was given: {', '.join(tried)}"


def _tensors_of_call(cls: Any) -> list[str]:
    """The parameters of `call` that must be given, the first one in any case."""
    first, *others = Subject(cls, Case()).call_parameters.values()
    empty = inspect.Parameter.empty
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    needed = [other for other in others if other.default is empty and other.kind in named]
    return [p.name for p in (first, *needed) if p.name not in ("training", "mask")]


def _ordered(name: str) -> Iterable[Any]:
    first = [_SHAPES[index] for rank, index in _RANKS.items() if rank in name]
    return [*first, *(shape for shape in _SHAPES if shape not in first)]


def _works(subject: Subject, training: bool | None = None) -> bool:
    """Whether a call on these inputs works; why it doesn't, the checks will say of the last."""
    try:
        subject.call(subject.make(), training=training)
    except Exception:
        return False
    return True
