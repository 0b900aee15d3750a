"""Templates: what a folder below `templates/` says of itself in its `template.toml`."""

from __future__ import annotations

import itertools
import re
import string
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaffold.attributes import REQUIRED, Attribute, Value
from scaffold.attributes.grammar import declare_type
from scaffold.errors import UsageError
from scaffold.text import nearest, shown, snake_case

if TYPE_CHECKING:
    from scaffold.base_layer import BaseLayer, Sample

TARGETS = ("layer", "model")
MANIFEST = "template.toml"
Options = Mapping[str, int | str | bool]
# The values of options for which something stands.
When = Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Option:
    """A switch of a template: one of a few values, fixed in the generated code."""

    name: str
    values: tuple[int | str | bool, ...]
    default: int | str | bool
    doc: str

    def read(self, text: str) -> int | str | bool:
        """The value that `text` stands for.

        Raises:
            UsageError: If it is none of the option's values.
        """
        spelled = {_spelled(value): value for value in self.values}
        if text.lower() not in spelled:
            raise UsageError(
                f"option `{self.name}={shown(text)}`: it is one of {', '.join(spelled)}"
                f"{nearest(text, spelled)}",
                mend=f"Write `--option {self.name}={_spelled(self.default)}`, for example.",
            )
        return spelled[text.lower()]


@dataclass(frozen=True)
class TemplateAttribute:
    """An attribute that a template has, for some values of its options or for all.

    `by_hand` names what the template's own code writes instead of the type's macro
    (`check`); `base` ones are handed to `keras.layers.Layer.__init__` as they are.
    `excludes` names one that can't be over 1 together with this, `divides` one that this divides.
    """

    name: str
    type: str
    default: Any
    doc: str
    constraint: str | None = None
    fallback: Any = REQUIRED
    by_hand: tuple[str, ...] = ()
    base: bool = False
    excludes: str = ""
    divides: str = ""
    when: When = field(default_factory=dict)

    def resolve(self, options: Options) -> Attribute:
        """The attribute for these values of the options.

        Raises:
            UsageError: If what the manifest says of it can't be.
        """
        kind = re.sub(r"\((\w+)\)", lambda m: f"({options.get(m[1], m[1])})", self.type)
        with self._reporting():
            type_ = declare_type(kind, self.constraint)
            given = self.default is not REQUIRED
            default = _value(type_.accept, self.default) if given else REQUIRED
        return Attribute(self.name, type_, default, fill(self.doc, options))

    def resolve_with_fallback(self, options: Options) -> Attribute:
        """The same, with the default that it gets where one before it has been given one.

        Raises:
            UsageError: If there is none.
        """
        attribute = self.resolve(options)
        if self.fallback is REQUIRED:
            raise UsageError(
                f"`{self.name}` needs a default, since one before it has got one",
                mend=f"Give it one with `{self.name}=...`.",
            )
        with self._reporting():
            return replace(attribute, default=attribute.type.accept(self.fallback))

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            raise UsageError(
                f"the template's attribute `{self.name}`: {error}",
                mend="Mend the template's manifest.",
            ) from None


@dataclass(frozen=True)
class Case:
    """Arguments and inputs to check a generated class with, as `scaffold.conformance` reads it."""

    data: Mapping[str, Any]
    when: When


@dataclass(frozen=True)
class Template:
    """A folder of Jinja files and the manifest that says what they can do.

    `base` is set where the class derives from one of Keras: it is the one if none is asked for,
    `base_layer` is what has been read of the one that is, and `sample` what that is tested with.
    """

    target: str
    name: str
    folder: Path
    title: str
    summary: str
    formula: str
    source: str
    words: Mapping[str, Options]
    reserves: tuple[str, ...]
    options: tuple[Option, ...]
    attributes: tuple[TemplateAttribute, ...]
    takes_layers: bool
    cases: tuple[Case, ...]
    base: str = ""
    base_layer: BaseLayer | None = None
    sample: Sample | None = None

    def option(self, name: str) -> Option:
        """The option called `name`.

        Raises:
            UsageError: If the template has none such.
        """
        for option in self.options:
            if option.name == name:
                return option
        names = [option.name for option in self.options]
        there = f"it has {', '.join(names)}" if names else "it has no options"
        raise UsageError(
            f"template `{self.name}` has no option `{shown(name)}`{nearest(name, names)}",
            mend=f"See `scaffold show {self.name}`: {there}.",
        )

    def options_with(self, chosen: Options) -> dict[str, int | str | bool]:
        """All options, those not chosen at their defaults."""
        return {option.name: chosen.get(option.name, option.default) for option in self.options}

    def attributes_for(self, options: Options) -> list[TemplateAttribute]:
        """The attributes that stand for these values of all options."""
        return [rule for rule in self.attributes if _holds(rule.when, options)]

    def cases_for(self, options: Options) -> list[Mapping[str, Any]]:
        """What the variant with these values of all options is checked with."""
        return [case.data for case in self.cases if _holds(case.when, options)]

    def variants(self) -> Iterator[dict[str, int | str | bool]]:
        """All options with a value each, in every combination."""
        names = [option.name for option in self.options]
        for values in itertools.product(*(option.values for option in self.options)):
            yield dict(zip(names, values, strict=True))

    def is_called(self, word: str) -> bool:
        """Whether `word` is in one of the words for the template, in any case."""
        return any(snake_case(word) in known for known in (self.name, *self.words))

    def is_about(self, word: str) -> bool:
        """Whether `word` is in what is said of the template, in any case."""
        said = (self.name, self.title, self.summary, self.formula, self.source, *self.words)
        names = (attribute.name for attribute in self.attributes)
        texts = "\n".join((*said, *names)).lower()
        return word.lower() in texts or snake_case(word) in texts


class Catalog:
    """All templates below some folders; the first folder that has a name wins."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = tuple(folders)

    @classmethod
    def builtin(cls) -> Catalog:
        """The templates that come with scaffold, from the wheel or the source tree."""
        package = Path(__file__).parent
        inside = package / "templates"
        return cls([inside if inside.is_dir() else package.parent / "templates"])

    def names(self, target: str) -> list[str]:
        """The names of all templates of a target, sorted."""
        manifests = (m for folder in self.folders for m in folder.glob(f"{target}/*/{MANIFEST}"))
        return sorted({manifest.parent.name for manifest in manifests})

    def words(self, target: str) -> list[str]:
        """What the templates of a target can be called by: their names and words."""
        return [word for one in self.templates(target) for word in (one.name, *one.words)]

    def deriving(self, target: str) -> Template:
        """The template of classes that derive from one of Keras."""
        return next(template for template in self.templates(target) if template.base)

    def templates(self, target: str) -> list[Template]:
        return [self.get(target, name) for name in self.names(target)]

    def get(self, target: str, name: str) -> Template:
        """The template called `name`.

        Raises:
            UsageError: If there is none, or its manifest is not well-formed.
        """
        if name not in self.names(target):
            raise UsageError(
                f"there is no {target} template `{shown(name)}`{nearest(name, self.words(target))}",
                mend="See `scaffold list`.",
            )
        folders = (folder / target / name for folder in self.folders)
        return load(next(folder for folder in folders if (folder / MANIFEST).is_file()))

    def pick(self, target: str, class_name: str) -> tuple[Template, Options, str]:
        """The template for a class by the words that its name ends in, with why."""
        templates = self.templates(target)
        parts = snake_case(class_name).split("_")
        for first in range(len(parts)):
            word = "_".join(parts[first:])
            for template in templates:
                if word in template.words:
                    return template, template.words[word], f"{class_name} ends in {word}"
        return self.get(target, "blank"), {}, f"no template is called {parts[-1]}"

    def find(self, target: str, word: str) -> tuple[Template, Options]:
        """The template called `word`, or one of whose words it is, with the options it implies.

        Raises:
            UsageError: If there is none.
        """
        if word not in self.names(target):
            for template in self.templates(target):
                if word in template.words:
                    return template, template.words[word]
        return self.get(target, word), {}


def fill(text: str, options: Options) -> str:
    """`text` of a manifest with `$option` filled in."""
    return string.Template(text).safe_substitute({k: _spelled(v) for k, v in options.items()})


def load(folder: Path) -> Template:
    """Read a template's folder.

    Raises:
        UsageError: If its manifest is not well-formed.
    """
    path = folder / MANIFEST
    try:
        return _template(folder, tomllib.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"{path} is no manifest of a template: {error}", mend="Mend the manifest."
        ) from None


_TEXTS = ("title", "summary", "formula", "source")
# The keys of the three kinds of tables, with what each holds.
_TEMPLATE = dict.fromkeys(_TEXTS, str) | {
    "reserves": list,
    "words": dict,
    "option": list,
    "attribute": list,
    "takes_layers": bool,
    "base": str,
    "case": list,
}
_OPTION = {"name": str, "values": list, "default": int | str | bool, "doc": str}
_ATTRIBUTE = {
    "name": str,
    "type": str,
    "doc": str,
    "constraint": str,
    "default": object,
    "fallback": object,
    "by_hand": list,
    "base": bool,
    "excludes": str,
    "divides": str,
    "when": dict,
}
_CASE = {"args": dict, "input": object, "call": dict, "tags": list, "when": dict}


def _template(folder: Path, data: dict[str, Any]) -> Template:
    _check(data, _TEMPLATE, _TEXTS, "the manifest")
    options = tuple(map(_option, data.get("option", [])))
    values = {option.name: option.values for option in options}
    for word, implied in data.get("words", {}).items():
        choices = implied.items() if isinstance(implied, dict) else [("", implied)]
        if any(value not in values.get(name, ()) for name, value in choices):
            raise ValueError(f"the word `{word}` is no table of options")
    return Template(
        target=folder.parent.name,
        name=folder.name,
        folder=folder,
        options=options,
        attributes=tuple(_attribute(table, values) for table in data.get("attribute", [])),
        words=data.get("words", {}),
        reserves=tuple(data.get("reserves", [])),
        takes_layers=data.get("takes_layers", False),
        base=data.get("base", ""),
        cases=tuple(_case(table, values) for table in data.get("case", [])),
        **{key: data[key] for key in _TEXTS},
    )


def _option(table: Any) -> Option:
    _check(table, _OPTION, tuple(_OPTION), "an option")
    option = Option(**{**table, "values": tuple(table["values"])})
    if option.default not in option.values:
        raise ValueError(f"the default of the option `{option.name}` is none of its values")
    return option


def _attribute(table: Any, values: Mapping[str, tuple[Any, ...]]) -> TemplateAttribute:
    _check(table, _ATTRIBUTE, ("name", "type", "doc"), "an attribute")
    frozen = {
        "default": REQUIRED,
        **table,
        "by_hand": tuple(table.get("by_hand", [])),
        "when": _when(table, values, f"the attribute `{table['name']}`"),
    }
    return TemplateAttribute(**frozen)


def _case(table: Any, values: Mapping[str, tuple[Any, ...]]) -> Case:
    _check(table, _CASE, ("input",), "a case")
    data = {key: value for key, value in table.items() if key != "when"}
    return Case(data, _when(table, values, "a case"))


def _when(table: Any, values: Mapping[str, tuple[Any, ...]], what: str) -> When:
    when = table.get("when", {})
    if any(not set(wanted) <= set(values.get(name, ())) for name, wanted in when.items()):
        raise ValueError(f"`when` of {what} fits no option")
    return {name: tuple(wanted) for name, wanted in when.items()}


def _holds(when: When, options: Options) -> bool:
    return all(options[name] in values for name, values in when.items())


def _check(table: Any, keys: Mapping[str, Any], needed: Iterable[str], what: str) -> None:
    """Raise `ValueError` unless `table` is one with these keys and values of these types."""
    if not isinstance(table, dict):
        raise ValueError(f"{what} is no table")
    for key in needed:
        if key not in table:
            raise ValueError(f"{what} has no key `{key}`")
    for key, value in table.items():
        if key not in keys:
            raise ValueError(f"{what} has the unknown key `{key}`{nearest(key, keys)}")
        if not isinstance(value, keys[key]):
            raise ValueError(f"`{key}` of {what} can't be {value!r}")


def _value(accept: Any, value: Any) -> Value:
    return None if value == "None" else accept(value)


def _spelled(value: int | str | bool) -> str:
    return str(value).lower()
