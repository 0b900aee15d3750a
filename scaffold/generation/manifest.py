"""Reading a template's `template.toml`, with every key checked."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from scaffold.errors import UsageError
from scaffold.generation.attributes import REQUIRED
from scaffold.generation.rules import KINDS, Rule
from scaffold.generation.template import (
    BuiltIn,
    DeclaredCase,
    LeftOut,
    Meaning,
    Option,
    Template,
    TemplateAttribute,
    Training,
    When,
    plain_value,
)
from scaffold.toml_tables import as_table, check_keys

MANIFEST = "template.toml"
# Shared parts of manifests, which name them in their `includes`.
_SHARED = "_manifests"
_TEXTS = ("title", "summary", "formula", "source")
# The keys of each kind of table, with their types.
_TEMPLATE = dict.fromkeys(_TEXTS, str) | {
    "reserves": list,
    "words": dict,
    "qualifiers": dict,
    "option": list,
    "attribute": list,
    "takes_layers": bool,
    "base": str,
    "case": list,
    "rule": list,
    "training": list,
    "built_in": list,
    "left_out": list,
    "fallback": bool,
    "layers": list,
    "sequence_if": dict,
    "includes": list,
}
_INCLUDED = {"option": list, "attribute": list}
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
    "shape": bool,
    "rate": str,
    "when": dict,
}
_CASE = {"args": dict, "input": object, "call": dict, "tags": list, "when": dict}
_BUILT_IN = {"name": str, "when": dict}
_LEFT_OUT = {"values": dict, "when": dict}
_RULE = {**dict.fromkeys(KINDS, list), "by_hand": bool, "but": int}
_TRAINING = {"data": str, "metric": str, "bound": int | float, "lower": bool, "when": dict}


def manifests(folder: Path) -> Iterator[Path]:
    """Yield the manifests in a folder, and what they include, in a fixed order."""
    for pattern in (f"layer/*/{MANIFEST}", f"model/*/{MANIFEST}", f"{_SHARED}/*.toml"):
        yield from sorted(folder.glob(pattern))


def load(folder: Path) -> Template:
    """Read a template's folder.

    Raises:
        UsageError: If its manifest is malformed.
    """
    path = folder / MANIFEST
    try:
        return _template(folder, _with_included(folder, _read(path)))
    except (UsageError, ValueError, TypeError) as error:
        raise UsageError(
            f"{path} is not a valid template manifest: {error}", fix="Fix the manifest."
        ) from None


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _with_included(folder: Path, data: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest with the options and attributes of those that it includes.

    Python needs arguments without a default first, so those of all manifests come first.
    """
    for name in data.pop("includes", []):
        shared = _read(folder.parents[1] / _SHARED / f"{name}.toml")
        _check(shared, _INCLUDED, (), f"{_SHARED}/{name}.toml")
        for key, tables in shared.items():
            data[key] = data.get(key, []) + tables
        data["attribute"].sort(key=lambda table: "default" in table)
    return data


def _template(folder: Path, data: dict[str, Any]) -> Template:
    _check(data, _TEMPLATE, _TEXTS, "the manifest")
    options = tuple(map(_option, data.get("option", [])))
    values = {option.name: option.values for option in options}
    attributes = tuple(_attribute(table, values) for table in data.get("attribute", []))
    plain = Template(
        target=folder.parent.name,
        name=folder.name,
        folder=folder,
        options=options,
        attributes=attributes,
        rules=tuple(_rule(table, {a.name for a in attributes}) for table in data.get("rule", [])),
        words={},
        reserves=tuple(data.get("reserves", [])),
        takes_layers=data.get("takes_layers", False),
        base=data.get("base", ""),
        cases=tuple(_case(table, values) for table in data.get("case", [])),
        training=tuple(_training(table, values) for table in data.get("training", [])),
        built_ins=tuple(_built_in(table, values) for table in data.get("built_in", [])),
        left_out=tuple(_left_out(table, values) for table in data.get("left_out", [])),
        fallback=data.get("fallback", False),
        layers=tuple(data.get("layers", [])),
        sequence_if=_when({"when": data.get("sequence_if", {})}, values, "`sequence_if`"),
        **{key: data[key] for key in _TEXTS},
    )
    return replace(
        plain,
        words=_meanings(plain, data.get("words", {}), "the word"),
        qualifiers=_meanings(plain, data.get("qualifiers", {}), "the qualifier"),
    )


def _meanings(template: Template, table: Mapping[str, Any], what: str) -> dict[str, Meaning]:
    for word, implied in table.items():
        if not isinstance(implied, dict):
            raise ValueError(f"{what} `{word}` must be a table of options and attributes")
    return {word: template.meaning(means, f"{what} `{word}`") for word, means in table.items()}


def _option(table: Any) -> Option:
    _check(table, _OPTION, tuple(_OPTION), "an option")
    option = Option(**{**table, "values": tuple(table["values"])})
    if option.default not in option.values:
        raise ValueError(f"the default of the option `{option.name}` is not one of its values")
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


def _rule(table: Any, attributes: set[str]) -> Rule:
    _check(table, _RULE, (), "a rule")
    kinds = [key for key in table if key in KINDS]
    if len(kinds) != 1:
        raise ValueError(f"a rule must have exactly one of the keys {', '.join(KINDS)}")
    kind, names = KINDS[kinds[0]], tuple(table[kinds[0]])
    if unknown := [name for name in names if name not in attributes]:
        raise ValueError(f"the rule `{kind.kind}` names `{unknown[0]}`, which is not an attribute")
    if len(names) != kind.about if kind.about else len(names) < 2:
        raise ValueError(f"the rule `{kind.kind}` needs {kind.about or 'two or more'} attributes")
    return kind(names, **{key: table[key] for key in ("by_hand", "but") if key in table})


def _case(table: Any, values: Mapping[str, tuple[Any, ...]]) -> DeclaredCase:
    _check(table, _CASE, ("input",), "a case")
    data = {key: value for key, value in table.items() if key != "when"}
    return DeclaredCase(data, _when(table, values, "a case"))


def _built_in(table: Any, values: Mapping[str, tuple[Any, ...]]) -> BuiltIn:
    _check(table, _BUILT_IN, ("name",), "a built-in")
    return BuiltIn(table["name"], _when(table, values, "a built-in"))


def _training(table: Any, values: Mapping[str, tuple[Any, ...]]) -> Training:
    _check(table, _TRAINING, ("data", "metric", "bound"), "a training task")
    when = _when(table, values, "a training task")
    return Training(**{"lower": False, **table, "bound": float(table["bound"]), "when": when})


def _left_out(table: Any, values: Mapping[str, tuple[Any, ...]]) -> LeftOut:
    what = "`left_out`"
    _check(table, _LEFT_OUT, ("values",), what)
    for name, given in table["values"].items():
        if not isinstance(given, list) or not given:
            raise ValueError(f"{what} needs a list of values for `{name}`")
    read = {name: list(plain_value(given)) for name, given in table["values"].items()}
    return LeftOut(read, _when(table, values, what))


def _when(table: Any, values: Mapping[str, tuple[Any, ...]], what: str) -> When:
    when = table.get("when", {})
    if any(not set(wanted) <= set(values.get(name, ())) for name, wanted in when.items()):
        raise ValueError(f"`when` of {what} matches no option")
    return {name: tuple(wanted) for name, wanted in when.items()}


def _check(table: Any, keys: Mapping[str, Any], needed: Iterable[str], what: str) -> None:
    """Refuse anything but a table with these keys and values of these types."""
    check_keys(as_table(table, what), keys, what, needed)
    for key, value in table.items():
        if not isinstance(value, keys[key]):
            raise ValueError(f"`{key}` of {what} can't be {value!r}")
