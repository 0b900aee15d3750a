"""A template as a value: the options, attributes, cases and training of its manifest."""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaffold.errors import UsageError
from scaffold.generation.attributes import REQUIRED, Attribute, Value
from scaffold.generation.attributes.grammar import declare_type
from scaffold.generation.rules import Rule
from scaffold.text import folded, nearest, shown, snake_case

if TYPE_CHECKING:
    from scaffold.generation.sample import Sample
    from scaffold.keras_source import BaseLayer

Options = Mapping[str, int | str | bool]
# The option values for which something applies.
When = Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Meaning:
    """What a word stands for besides its template: option values and attribute defaults.

    The defaults are as in the manifest: one int may stand for tuples of several lengths.
    """

    options: Options = field(default_factory=dict)
    defaults: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def read(cls, options: Options, defaults: Mapping[str, Any]) -> Meaning:
        """Return the meaning of values as TOML and JSON have them: with lists."""
        frozen = {k: tuple(v) if isinstance(v, list) else v for k, v in defaults.items()}
        return cls(options, frozen)

    def over(self, other: Meaning) -> Meaning:
        """Return this meaning, completed by what only `other` has."""
        return Meaning({**other.options, **self.options}, {**other.defaults, **self.defaults})


@dataclass(frozen=True)
class Option:
    """A switch of a template: one of a few values, fixed in the generated code."""

    name: str
    values: tuple[int | str | bool, ...]
    default: int | str | bool
    doc: str

    def read(self, text: str) -> int | str | bool:
        """Return the value that `text` stands for.

        Raises:
            UsageError: If it is not one of the option's values.
        """
        spelled = {_spelled(value): value for value in self.values}
        if text.lower() not in spelled:
            raise UsageError(
                f"option `{self.name}={shown(text)}`: it must be one of {', '.join(spelled)}"
                f"{nearest(text, spelled)}",
                fix=f"Use `--option {self.name}={_spelled(self.default)}`, for example.",
            )
        return spelled[text.lower()]


@dataclass(frozen=True)
class TemplateAttribute:
    """An attribute of a template, for some of its option values or for all.

    `by_hand` names what the template's own code writes instead of the type's macro
    (`check`); `base` ones are passed to `keras.layers.Layer.__init__` unchanged.
    For a seed, `rate` is the attribute that controls how much is drawn, nothing at 0.
    For a `shape`, all ints are written out.
    """

    name: str
    type: str
    default: Any
    doc: str
    constraint: str | None = None
    fallback: Any = REQUIRED
    by_hand: tuple[str, ...] = ()
    base: bool = False
    shape: bool = False
    rate: str = ""
    when: When = field(default_factory=dict)

    def resolve(self, options: Options) -> Attribute:
        """Return the attribute for these option values.

        Raises:
            UsageError: If its entry in the manifest is invalid.
        """
        kind = re.sub(r"\((\w+)\)", lambda m: f"({options.get(m[1], m[1])})", self.type)
        with self._reporting():
            type_ = declare_type(kind, self.constraint)
            if self.shape:
                type_ = type_.as_shape()
            given = self.default is not REQUIRED
            default = _value(type_.accept, self.default) if given else REQUIRED
        return Attribute(self.name, type_, default, fill(self.doc, options))

    def resolve_with_fallback(self, options: Options) -> Attribute:
        """Return the same, with the default that it gets if one before it was given one.

        Raises:
            UsageError: If there is none.
        """
        attribute = self.resolve(options)
        if self.fallback is REQUIRED:
            raise UsageError(
                f"`{self.name}` needs a default because an attribute before it has one",
                fix=f"Set one with `{self.name}=...`.",
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
                fix="Fix the template's manifest.",
            ) from None


@dataclass(frozen=True)
class DeclaredCase:
    """Arguments and inputs to check a generated class with, in `scaffold.conformance`'s form."""

    data: Mapping[str, Any]
    when: When


@dataclass(frozen=True)
class BuiltIn:
    """The Keras layer that is equivalent to a variant of the template."""

    name: str
    when: When


@dataclass(frozen=True)
class LeftOut:
    """Arguments of the built-in that its drop-in leaves out.

    Args:
        values: By argument, the values with which nothing is lost, the default first.
        when: The option values that it is for.
    """

    values: Mapping[str, Sequence[Any]]
    when: When


@dataclass(frozen=True)
class Training:
    """What the training script of a generated model learns from, and how well.

    Args:
        data: The data's macro file in `_macros/data`.
        metric: The metric on held-out data, as the script prints it.
        bound: The score to reach: a lower bound, or with `lower` an upper one.
        lower: Whether lower is better.
        when: The option values that it is for.
    """

    data: str
    metric: str
    bound: float
    lower: bool
    when: When


@dataclass(frozen=True)
class Template:
    """A folder of Jinja files and the manifest that says what they can do.

    `words` are its aliases; `qualifiers` refine a template that a word has picked, and pick this
    one only if no word does. `fallback` is set for the template of names that match none. `layers`
    are the default layers of a composed model, and `sequence_if` the option values with which each
    must take just the output of the one before it. `base` is set if the class derives from a Keras
    class: it is the default one, `base_layer` is what was read of the requested one, and `sample`
    what that is tested with.
    """

    target: str
    name: str
    folder: Path
    title: str
    summary: str
    formula: str
    source: str
    words: Mapping[str, Meaning]
    reserves: tuple[str, ...]
    options: tuple[Option, ...]
    attributes: tuple[TemplateAttribute, ...]
    takes_layers: bool
    cases: tuple[DeclaredCase, ...]
    rules: tuple[Rule, ...] = ()
    training: tuple[Training, ...] = ()
    built_ins: tuple[BuiltIn, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    qualifiers: Mapping[str, Meaning] = field(default_factory=dict)
    fallback: bool = False
    layers: tuple[str, ...] = ()
    sequence_if: When = field(default_factory=dict)
    base: str = ""
    base_layer: BaseLayer | None = None
    sample: Sample | None = None

    def option(self, name: str) -> Option:
        """Return the option called `name`.

        Raises:
            UsageError: If the template has no such option.
        """
        for option in self.options:
            if option.name == name:
                return option
        names = [option.name for option in self.options]
        there = f"it has {', '.join(names)}" if names else "it has no options"
        raise UsageError(
            f"template `{self.name}` has no option `{shown(name)}`{nearest(name, names)}",
            fix=f"See `scaffold show {self.name}`: {there}.",
        )

    def options_with(self, chosen: Options) -> dict[str, int | str | bool]:
        """Return all options, with defaults for those not chosen."""
        return {option.name: chosen.get(option.name, option.default) for option in self.options}

    def attributes_for(self, options: Options) -> list[TemplateAttribute]:
        """Return the attributes that apply for these values of all options."""
        return [rule for rule in self.attributes if _holds(rule.when, options)]

    def wraps(self, options: Options) -> bool:
        """Return whether it needs another layer to be created, for these values of all options."""
        rules = self.attributes_for(options)
        return any(rule.type == "layer" and rule.default is REQUIRED for rule in rules)

    def rules_for(self, options: Options) -> list[Rule]:
        """Return the rules whose attributes all apply for these values of all options."""
        names = {attribute.name for attribute in self.attributes_for(options)}
        return [rule for rule in self.rules if names.issuperset(rule.names)]

    def cases_for(self, options: Options) -> list[Mapping[str, Any]]:
        """Return what the variant with these values of all options is checked with."""
        return [case.data for case in self.cases if _holds(case.when, options)]

    def left_out_for(self, options: Options) -> dict[str, Sequence[Any]]:
        """Return what the variant leaves out, with the values with which nothing is lost."""
        held = (one.values for one in self.left_out if _holds(one.when, options))
        return {name: values for one in held for name, values in one.items()}

    def training_for(self, options: Options) -> Training | None:
        """Return what the variant with these values of all options is trained on, if anything."""
        return next((one for one in self.training if _holds(one.when, options)), None)

    def built_in(self, options: Options) -> str:
        """Return the Keras layer that is equivalent to the variant with these options, if any.

        It is the template's source if the manifest lists none.
        """
        if self.base:
            return ""
        names = [one.name for one in self.built_ins if _holds(one.when, options)]
        named = names if self.built_ins else [self.source]
        full = [fill(name, options) for name in named]
        return next((name for name in full if re.fullmatch(r"keras\.layers\.\w+", name)), "")

    def variants(self) -> Iterator[dict[str, int | str | bool]]:
        """Yield every combination of option values."""
        names = [option.name for option in self.options]
        for values in itertools.product(*(option.values for option in self.options)):
            yield dict(zip(names, values, strict=True))

    def meaning(self, table: Mapping[str, Any], what: str) -> Meaning:
        """Read a table of a manifest: a key is an option or, given these, an attribute.

        Raises:
            ValueError: If a key is neither, or has an invalid value.
        """
        switches = {option.name: option.values for option in self.options}
        options = {key: value for key, value in table.items() if key in switches}
        for key, value in options.items():
            if value not in switches[key]:
                raise ValueError(f"{what}: `{key}` can't be {value!r}")
        every = self.options_with(options)
        rules = {rule.name: rule for rule in self.attributes_for(every)}
        defaults = {key: value for key, value in table.items() if key not in options}
        for key, value in defaults.items():
            if key not in rules:
                known = [*switches, *rules]
                raise ValueError(
                    f"{what}: `{key}` is neither an option nor an attribute{nearest(key, known)}"
                )
            try:
                _value(rules[key].resolve(every).type.accept, value)
            except ValueError as error:
                raise ValueError(f"{what}: `{key}`: {error}") from None
        return Meaning.read(options, defaults)

    def defaults_for(self, meaning: Meaning, options: Options) -> dict[str, Value]:
        """Return the defaults that `meaning` gives, if they are valid with these options."""
        defaults = {}
        for rule in self.attributes_for(options):
            if rule.name in meaning.defaults:
                accept = rule.resolve(options).type.accept
                with suppress(ValueError):
                    defaults[rule.name] = _value(accept, meaning.defaults[rule.name])
        return defaults

    def typed(self, meaning: Meaning) -> list[str]:
        """Return `meaning` as typed after the template's name."""
        defaults = self.typed_defaults(meaning)
        return [
            *(f"--option {key}={_spelled(value)}" for key, value in meaning.options.items()),
            *(f"{key}={text}" for key, text in defaults.items()),
        ]

    def typed_defaults(self, meaning: Meaning) -> dict[str, str]:
        """Return the defaults of `meaning` as strings that a user could have typed."""
        options = self.options_with(meaning.options)
        types = {rule.name: rule.resolve(options).type for rule in self.attributes_for(options)}
        return {key: types[key].text(value) for key, value in meaning.defaults.items()}

    def can_be(self, meaning: Meaning) -> bool:
        """Return whether the template has these option values and these attributes."""
        switches = {option.name: option.values for option in self.options}
        names = {rule.name for rule in self.attributes}
        return names >= meaning.defaults.keys() and all(
            value in switches.get(key, ()) for key, value in meaning.options.items()
        )

    def is_called(self, word: str) -> bool:
        """Return whether `word` is one of the template's names, in any spelling."""
        return folded(word) in map(folded, (self.name, *self.words, *self.qualifiers))

    def is_named_with(self, word: str) -> bool:
        """Return whether a part of a name of the template begins with `word`, ignoring case."""
        return any(f"_{snake_case(word)}" in f"_{known}" for known in (self.name, *self.words))

    def is_about(self, word: str) -> bool:
        """Return whether a word in the template's description begins with `word`, ignoring case."""
        said = (self.name, self.title, self.summary, self.formula, self.source, *self.words)
        names = (attribute.name for attribute in self.attributes)
        texts = "\n".join((*said, *self.qualifiers, *names)).lower()
        spelled = "|".join(map(re.escape, (word.lower(), snake_case(word))))
        return re.search(rf"(?<![^\W_])(?:{spelled})", texts) is not None


def fill(text: str, options: Options) -> str:
    """Fill in `$option` in a text of a manifest."""
    return string.Template(text).safe_substitute({k: _spelled(v) for k, v in options.items()})


def _holds(when: When, options: Options) -> bool:
    return all(options[name] in values for name, values in when.items())


def _value(accept: Any, value: Any) -> Value:
    return None if value == "None" else accept(value)


def plain_value(value: Any) -> Any:
    """Convert a value of a manifest to Python: `None`, and tuples for lists."""
    if isinstance(value, list):
        return tuple(map(plain_value, value))
    return None if value == "None" else value


def _spelled(value: int | str | bool) -> str:
    return str(value).lower()
