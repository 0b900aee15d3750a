"""Resolving a composed model's layers: source, imports, and classes to generate beside it.

Nothing of Keras or of the user's is imported: constructors are read from source.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from scaffold.cases import case_from
from scaffold.errors import MissingError, UsageError, pointing
from scaffold.generation.composition.facts import Facts, of_class, of_keras, several
from scaffold.generation.composition.source import call
from scaffold.generation.composition.stage import MERGES, Parallel, Residual, Stage, Use
from scaffold.keras_source import (
    Parameter,
    Signature,
    constructor,
    modules_named,
    own_class,
    public_layers,
)
from scaffold.modules import imported_as
from scaffold.text import camel_case, folded, nearest, shown, snake_case

if TYPE_CHECKING:
    from scaffold.generation.catalog import Catalog
    from scaffold.generation.template import Template

# What every layer takes, passed on by `**kwargs`.
_EVERY = ("trainable", "activity_regularizer")
_NAMED = ("name", "dtype")
# The name of a template's class that is only read.
_GENERATED = "Read"


@dataclass(frozen=True)
class Layer:
    """One layer of a composed model: the beginning of its source, its name, its facts."""

    started: str
    name: str
    facts: Facts
    kind: ClassVar[str] = "layer"

    @property
    def class_name(self) -> str:
        """Its class."""
        return self.started.partition("(")[0].rpartition(".")[2]

    @property
    def source(self) -> str:
        """The source that creates it, with the dtype of the model."""
        comma = "" if self.started.endswith("(") else ", "
        return f'{self.started}{comma}dtype=dtype, name="{self.name}")'


@dataclass(frozen=True)
class Beside:
    """A class that a template generates beside the model.

    Args:
        name: The class.
        template: The template's name.
        options: The template's options, as text.
    """

    name: str
    template: str
    options: Mapping[str, str]


@dataclass(frozen=True)
class Way:
    """Layers with a skip connection around them (`residual`), or branches that are merged."""

    kind: str
    branches: Sequence[Sequence[Layer | Way]]
    merge: str
    name: str

    @property
    def class_name(self) -> str:
        """The class of the merging layer."""
        return self.merge.capitalize()

    @property
    def source(self) -> str:
        """The source of the merging layer."""
        return f'keras.layers.{self.class_name}(dtype=dtype, name="{self.name}")'


@dataclass(frozen=True)
class Composition:
    """The layers of a model, resolved.

    Args:
        stages: The layers, in order.
        imports: The module and the class of each layer that is not Keras's or generated.
        beside: The classes to generate.
    """

    stages: Sequence[Layer | Way]
    imports: Sequence[tuple[str, str]]
    beside: Sequence[Beside]

    def within(self, package: str) -> Composition:
        """Return it with the imports of the generated classes, for a model in this package."""
        prefix = f"{package}." if package else ""
        own = ((f"{prefix}{snake_case(one.name)}", one.name) for one in self.beside)
        return replace(self, imports=sorted([*self.imports, *own]))

    @property
    def is_chain(self) -> bool:
        return all(isinstance(stage, Layer) for stage in self.stages)

    @property
    def layers(self) -> list[Layer]:
        """All layers, including those of branches."""
        return list(_layers(self.stages))

    @property
    def attends(self) -> bool:
        """Whether a layer has attention heads."""
        return any(layer.facts.attends for layer in self.layers)

    @property
    def is_sized(self) -> bool:
        """Whether inputs of another size do not fit a layer's arguments."""
        return any(layer.facts.is_sized for layer in self.layers)

    @property
    def tokens(self) -> int:
        """The number of integers that the layers know; 0 for any."""
        known = (layer.facts.tokens for layer in self.layers if layer.facts.tokens)
        return min(known, default=0)

    @property
    def is_sequence(self) -> bool:
        """Whether each layer is called with just the output of the one before it."""
        return all(isinstance(one, Layer) and one.facts.feeds == "x" for one in self.stages)


def _layers(stages: Sequence[Layer | Way]) -> Iterator[Layer]:
    for stage in stages:
        if isinstance(stage, Layer):
            yield stage
        else:
            for branch in stage.branches:
                yield from _layers(branch)


# Returns the module of a class called so, generated from this template with these options.
ClassSource = Callable[[str, str, Mapping[str, str]], ast.Module]


def compose(
    catalog: Catalog, model: str, stages: Sequence[Stage], source_of: ClassSource
) -> Composition:
    """Resolve these stages.

    Args:
        catalog: The templates.
        model: The model's class name, which those of generated layers begin with.
        stages: The stages.
        source_of: Returns what a template generates, to read it.

    Raises:
        UsageError: If there is no such layer, or it has no such argument.
        MissingError: If a file or a module is not found.
    """
    resolver = _Resolver(catalog, model, source_of)
    resolved = list(resolver.stages(stages))
    return Composition(resolved, sorted(resolver.imports), list(resolver.beside.values()))


class _Resolver:
    def __init__(self, catalog: Catalog, model: str, source_of: ClassSource) -> None:
        self._catalog = catalog
        self._model = model
        self._source_of = source_of
        self._folder = catalog.composing("model").folder
        self._names: dict[str, int] = {}
        self.imports: set[tuple[str, str]] = set()
        self.beside: dict[str, Beside] = {}

    def stages(self, stages: Sequence[Stage]) -> Iterator[Layer | Way]:
        for stage in stages:
            match stage:
                case Use():
                    with pointing(stage.place):
                        started, facts = self._resolved(stage)
                    yield Layer(started, self._name(stage.layer), facts)
                case Residual():
                    branches = [list(self.stages(stage.stages))]
                    yield Way("residual", branches, "add", self._name("residual"))
                case Parallel():
                    if stage.merge not in MERGES:
                        raise UsageError(
                            f"`merge` is `{shown(stage.merge)}`{nearest(stage.merge, MERGES)}",
                            fix=f"It must be one of {', '.join(MERGES)}.",
                            place=stage.entry.child("merge").value(),
                        )
                    branches = [list(self.stages(branch)) for branch in stage.branches]
                    yield Way("parallel", branches, stage.merge, self._name(stage.merge))

    def _name(self, layer: str) -> str:
        """Return a unique name within the model: `dense`, `dense_1`."""
        name = snake_case(layer)
        number = self._names[name] = self._names.get(name, -1) + 1
        return f"{name}_{number}" if number else name

    def _resolved(self, use: Use) -> tuple[str, Facts]:
        for name in _NAMED:
            if name in use.arguments:
                raise UsageError(
                    f"the model sets the `{name}` of each of its layers",
                    fix=f"Remove it from `{use.written()}`.",
                )
        if use.home:
            return self._of_a_file(use)
        if use.layer in public_layers():
            signature = constructor("keras.layers", use.layer)
            name = f"keras.layers.{use.layer}"
            started = call(name, signature, use.arguments, _EVERY, use)
            return started, of_keras(self._folder, use.layer, use.arguments)
        if folded(use.layer) in map(folded, self._catalog.words("layer")):
            return self._of_a_template(use)
        known = [*public_layers(), *self._catalog.words("layer")]
        raise UsageError(
            f"layer `{shown(use.layer)}` not found{nearest(use.layer, known)}",
            fix="Name a Keras layer, a template, or a class as in `my_conv.py:MyConv`.",
            place=use.place(),
        )

    def _of_a_template(self, use: Use) -> tuple[str, Facts]:
        template, meaning = self._catalog.find("layer", use.layer)
        names = {option.name for option in template.options}
        chosen = dict(meaning.options)
        for key, value in use.arguments.items():
            if key in names:
                with pointing(partial(use.argument_place, key)):
                    chosen[key] = template.option(key).read(value)
        if template.wraps(template.options_with(chosen)):
            raise UsageError(
                f"`{use.layer}` wraps another layer, which can't be given as text",
                fix="Use it in your own class that takes one input, and name its file.",
            )
        class_name = f"{self._model}{camel_case(use.layer)}"
        options = {key: str(value).lower() for key, value in chosen.items()}
        beside = Beside(class_name, template.name, options)
        if self.beside.setdefault(class_name, beside) != beside:
            raise UsageError(
                f"`{use.layer}` is already used with other options",
                fix=f"Use another alias for one of them: {', '.join(template.words)}.",
            )
        signature = _signature(template, template.options_with(chosen))
        further = {key: value for key, value in use.arguments.items() if key not in names}
        arguments = {**template.typed_defaults(meaning), **further}
        started = call(class_name, signature, arguments, _EVERY, use)
        parsed = self._source_of(_GENERATED, template.name, options)
        facts = of_class(self._folder, parsed, _GENERATED, use.layer, arguments)
        cases = map(case_from, template.cases_for(template.options_with(chosen)))
        if facts.feeds == "x" and any(isinstance(case.inputs, list) for case in cases):
            raise several(use.layer)
        return started, facts

    def _of_a_file(self, use: Use) -> tuple[str, Facts]:
        path, module = _found(use.home)
        self.imports.add((module, use.layer))
        signature = own_class(path, use.layer).constructor()
        parsed = ast.parse(path.read_text(encoding="utf-8"))
        named = {parameter.name for parameter in signature.plain}
        if not (signature.takes_any_keyword or named.issuperset(_NAMED)):
            raise UsageError(
                f"`{use.layer}` must take `name` and `dtype`, as every Keras layer does",
                fix="Let its constructor take **kwargs and pass them to `super().__init__`.",
            )
        plain = tuple(one for one in signature.parameters if one.name not in _NAMED)
        started = call(use.layer, Signature(plain), use.arguments, _EVERY, use)
        return started, of_class(self._folder, parsed, use.layer, use.layer, use.arguments)


def _signature(template: Template, options: Mapping[str, int | str | bool]) -> Signature:
    from scaffold.generation.attributes import REQUIRED

    resolved = [rule.resolve(options) for rule in template.attributes_for(options)]
    plain = (
        Parameter(one.name, None if one.default is REQUIRED else one.type.source(one.default))
        for one in resolved
    )
    return Signature((*plain, Parameter("kwargs", stars="**")))


def _found(home: str) -> tuple[Path, str]:
    """Return the file of a file or module that was named, and the name to import it by."""
    if home.endswith(".py"):
        path = Path(home)
        if not path.is_file():
            raise MissingError(f"file {shown(home)} not found", fix="Check the path.")
        return path, imported_as(path)[0]
    for path in modules_named(home, [Path(), *map(Path, sys.path)]):
        return path, home
    raise MissingError(
        f"module {shown(home)} not found", fix="Name its file, as in `./my_conv.py:MyConv`."
    )
