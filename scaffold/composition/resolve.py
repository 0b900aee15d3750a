"""What the layers of a composed model stand for: source, imports, and classes to generate beside.

Nothing of Keras or of the user's is imported: constructors are read from source.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from scaffold.base_layer import Parameter, Signature, constructor, public_layers
from scaffold.composition.source import call
from scaffold.composition.stage import MERGES, Parallel, Residual, Stage, Use
from scaffold.errors import MissingError, Place, UsageError
from scaffold.text import camel_case, folded, nearest, shown, snake_case

if TYPE_CHECKING:
    from scaffold.catalog import Catalog
    from scaffold.template import Template

# What every layer takes, handed on by `**kwargs`.
_EVERY = ("trainable", "activity_regularizer")
_NAMED = ("name", "dtype")


@dataclass(frozen=True)
class Layer:
    """One layer of a composed model: the beginning of its source, and its name."""

    started: str
    name: str
    kind: ClassVar[str] = "layer"

    @property
    def class_name(self) -> str:
        """Of what class it is."""
        return self.started.partition("(")[0].rpartition(".")[2]

    @property
    def source(self) -> str:
        """How it is made, with the dtype of the model."""
        comma = "" if self.started.endswith("(") else ", "
        return f'{self.started}{comma}dtype=dtype, name="{self.name}")'


@dataclass(frozen=True)
class Beside:
    """A class that a template gives beside the model.

    Args:
        name: The class.
        template: The template's name.
        options: Those of the template, as text.
    """

    name: str
    template: str
    options: Mapping[str, str]


@dataclass(frozen=True)
class Way:
    """Layers around which the input goes (`residual`), or branches that are merged."""

    kind: str
    branches: Sequence[Sequence[Layer | Way]]
    merge: str
    name: str

    @property
    def class_name(self) -> str:
        """Of what class the layer is that merges."""
        return self.merge.capitalize()

    @property
    def source(self) -> str:
        """The layer that merges."""
        return f'keras.layers.{self.class_name}(dtype=dtype, name="{self.name}")'


@dataclass(frozen=True)
class Composition:
    """The layers of a model, resolved.

    Args:
        stages: The layers, in order.
        imports: The module and the class of each one that is not Keras's.
        beside: The classes to generate.
    """

    stages: Sequence[Layer | Way]
    imports: Sequence[tuple[str, str]]
    beside: Sequence[Beside]

    @property
    def is_chain(self) -> bool:
        return all(isinstance(stage, Layer) for stage in self.stages)


def compose(catalog: Catalog, model: str, stages: Sequence[Stage], package: str) -> Composition:
    """What these stages stand for.

    Args:
        catalog: The templates.
        model: The model's class name, which those of generated layers begin with.
        stages: What is used.
        package: The dotted package that the model is in, empty for none.

    Raises:
        UsageError: If there is no such layer, or it has no such argument.
        MissingError: If a file or a module is not there.
    """
    resolver = _Resolver(catalog, model, package)
    resolved = list(resolver.stages(stages))
    return Composition(resolved, sorted(resolver.imports), list(resolver.beside.values()))


class _Resolver:
    def __init__(self, catalog: Catalog, model: str, package: str) -> None:
        self._catalog = catalog
        self._model = model
        self._package = package
        self._names: dict[str, int] = {}
        self.imports: set[tuple[str, str]] = set()
        self.beside: dict[str, Beside] = {}

    def stages(self, stages: Sequence[Stage]) -> Iterator[Layer | Way]:
        for stage in stages:
            match stage:
                case Use():
                    yield Layer(self._started(stage), self._name(stage.layer))
                case Residual():
                    branches = [list(self.stages(stage.stages))]
                    yield Way("residual", branches, "add", self._name("residual"))
                case Parallel():
                    if stage.merge not in MERGES:
                        raise UsageError(
                            f"`merge` is `{shown(stage.merge)}`{nearest(stage.merge, MERGES)}",
                            mend=f"It is one of {', '.join(MERGES)}.",
                        )
                    branches = [list(self.stages(branch)) for branch in stage.branches]
                    yield Way("parallel", branches, stage.merge, self._name(stage.merge))

    def _name(self, layer: str) -> str:
        """A name of its own within the model: `dense`, `dense_1`."""
        name = snake_case(layer)
        number = self._names[name] = self._names.get(name, -1) + 1
        return f"{name}_{number}" if number else name

    def _started(self, use: Use) -> str:
        for name in _NAMED:
            if name in use.arguments:
                raise UsageError(
                    f"the model gives each of its layers a `{name}`",
                    mend=f"Leave it out of `{use.written()}`.",
                )
        if use.home:
            return self._of_a_file(use)
        if use.layer in public_layers():
            signature = constructor("keras.layers", use.layer)
            return call(f"keras.layers.{use.layer}", signature, use.arguments, _EVERY, use.text)
        if folded(use.layer) in map(folded, self._catalog.words("layer")):
            return self._of_a_template(use)
        known = [*public_layers(), *self._catalog.words("layer")]
        raise UsageError(
            f"there is no layer `{shown(use.layer)}`{nearest(use.layer, known)}",
            mend="Name a layer of Keras, a template, or a class as in `my_conv.py:MyConv`.",
            place=Place(use.text, 0, len(use.layer)) if use.text else None,
        )

    def _of_a_template(self, use: Use) -> str:
        template, meaning = self._catalog.find("layer", use.layer)
        names = {option.name for option in template.options}
        given = {key: value for key, value in use.arguments.items() if key in names}
        chosen = {**meaning.options, **{k: template.option(k).read(v) for k, v in given.items()}}
        class_name = f"{self._model}{camel_case(use.layer)}"
        options = {key: str(value).lower() for key, value in chosen.items()}
        beside = Beside(class_name, template.name, options)
        if self.beside.setdefault(class_name, beside) != beside:
            raise UsageError(
                f"`{use.layer}` is used with other options already",
                mend=f"Call one of them by another of its words: {', '.join(template.words)}.",
            )
        module = snake_case(class_name)
        self.imports.add((f"{self._package}.{module}" if self._package else module, class_name))
        signature = _signature(template, template.options_with(chosen))
        further = {key: value for key, value in use.arguments.items() if key not in names}
        arguments = {**template.typed_defaults(meaning), **further}
        return call(class_name, signature, arguments, _EVERY, use.text)

    def _of_a_file(self, use: Use) -> str:
        path, module = _found(use.home)
        self.imports.add((module, use.layer))
        signature = _read_constructor(path, use)
        named = {parameter.name for parameter in signature.plain}
        if not (signature.takes_any_keyword or named.issuperset(_NAMED)):
            raise UsageError(
                f"`{use.layer}` takes neither `name` nor `dtype`, as every layer of Keras does",
                mend="Let its constructor take **kwargs, and hand them to `super().__init__`.",
            )
        plain = tuple(one for one in signature.parameters if one.name not in _NAMED)
        return call(use.layer, Signature(plain), use.arguments, _EVERY, use.text)


def _signature(template: Template, options: Mapping[str, int | str | bool]) -> Signature:
    from scaffold.attributes import REQUIRED

    resolved = [rule.resolve(options) for rule in template.attributes_for(options)]
    plain = (
        Parameter(one.name, None if one.default is REQUIRED else one.type.source(one.default))
        for one in resolved
    )
    return Signature((*plain, Parameter("kwargs", stars="**")))


def _found(home: str) -> tuple[Path, str]:
    """The file of a file or module that was named, and the name to import it by."""
    if home.endswith(".py"):
        path = Path(home)
        if not path.is_file():
            raise MissingError(f"there is no file {shown(home)}", mend="Is the path right?")
        return path, _dotted(path)
    parts = home.split(".")
    for root in (Path(), *map(Path, sys.path)):
        for path in (
            root.joinpath(*parts).with_suffix(".py"),
            root.joinpath(*parts, "__init__.py"),
        ):
            if path.is_file():
                return path, home
    raise MissingError(
        f"there is no module {shown(home)}", mend="Name its file, as in `./my_conv.py:MyConv`."
    )


def _dotted(path: Path) -> str:
    """The name that a file is imported by: within its packages, if it is in any."""
    names, folder = [path.stem], path.resolve().parent
    while (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    return ".".join(names)


def _read_constructor(path: Path, use: Use) -> Signature:
    """The constructor of a class in a file, or of those that it derives from there or in Keras."""
    try:
        parsed = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{path} is no Python: {error}", mend="Mend the file.") from None
    classes = {node.name: node for node in parsed.body if isinstance(node, ast.ClassDef)}
    if use.layer not in classes:
        raise UsageError(
            f"{path} has no class `{shown(use.layer)}`{nearest(use.layer, classes)}",
            mend=f"It has {', '.join(classes) or 'no classes'}.",
        )
    return _constructor_of(classes[use.layer], classes)


def _constructor_of(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> Signature:
    for one in node.body:
        if isinstance(one, ast.FunctionDef) and one.name == "__init__":
            return Signature.of(one, {})
    for base in map(ast.unparse, node.bases):
        if base in classes and base != node.name:
            return _constructor_of(classes[base], classes)
        if base.rpartition(".")[2] in public_layers():
            return _handed_on(constructor("keras.layers", base.rpartition(".")[2]))
    return _handed_on(Signature(()))


def _handed_on(signature: Signature) -> Signature:
    """That of a class which has no constructor of its own: what every layer takes comes too."""
    plain = signature.plain
    return Signature((*plain, Parameter("kwargs", stars="**")))
