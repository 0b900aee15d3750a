"""Specs as TOML: a spec that is written reads back the same."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from scaffold.errors import MissingError, Source, UnsafeError, UsageError, pointing
from scaffold.generation.attributes import REQUIRED, Attribute, Default
from scaffold.generation.attributes.grammar import Assignment, Declaration, declare_type
from scaffold.generation.catalog import TARGETS
from scaffold.generation.composition.stage import with_homes
from scaffold.generation.composition.tables import (
    compiled_table,
    read_compiled,
    read_stages,
    stage_table,
)
from scaffold.generation.request import Request
from scaffold.generation.spec import Spec
from scaffold.text import nearest, shown, unprintable
from scaffold.toml_tables import Entry, as_table, as_text, check_keys

VERSION = 1
MOST_BYTES = 1_000_000
_KEYS = (
    *("version", "target", "name", "template", "package", "base"),
    *("options", "attributes", "layers", "compile"),
)
_SECTION = "Write it as `[section]` with keys below it."
_ATTRIBUTE_KEYS = ("type", "default", "optional", "constraint", "doc")


def from_file(path: str | Path) -> Request:
    """Read the request in a spec file; files that it names are relative to its folder.

    Raises:
        MissingError: If there is no such file.
        UsageError: If it can't be read, or is not a spec.
        UnsafeError: If it is over a megabyte, or contains invisible characters.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise MissingError(f"spec file {path} not found", fix="Check the path.") from None
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from None
    folder = path.absolute().parent

    def found(home: str) -> str:
        return str(folder / home) if home.endswith(".py") else home

    request = read_spec(data, str(path))
    return replace(request, layers=with_homes(request.layers, found))


def read_spec(data: bytes, file: str) -> Request:
    """Read the request in the bytes of a spec file.

    Raises:
        UsageError: If it is not valid TOML, or has an invalid key or value.
        UnsafeError: If it is over a megabyte, or contains invisible characters.
    """
    if len(data) > MOST_BYTES:
        raise UnsafeError(
            f"{file} has {len(data):,} bytes; the limit is {MOST_BYTES:,}",
            fix="Check that it is the right file.",
        )
    whole = Entry(data.decode("utf-8", errors="replace"), file)
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{file} is not valid TOML: {error}", fix="Fix the file.", place=whole.mistake(error)
        ) from None
    _check_seen(table, file)
    check_keys(table, _KEYS, file, at=whole)
    if table.get("version") != VERSION or isinstance(table["version"], bool):
        raise UsageError(
            f"{file} has version {table.get('version')!r}; this scaffold reads {VERSION}",
            fix=f"Write `version = {VERSION}`.",
            place=whole.child("version").value(),
        )
    texts = {key: _text(table, key, f"{file}: `{key}`", whole) for key in _KEYS[1:6]}
    target = texts["target"] or "layer"
    if target not in TARGETS:
        raise UsageError(
            f"{file}: `target` is `{target}`{nearest(target, TARGETS)}",
            fix=f"It must be one of {', '.join(TARGETS)}.",
            place=whole.child("target").value(),
        )
    options = _section(table, "options", whole)
    attributes = _section(table, "attributes", whole)
    layers, compiled = table.get("layers", []), table.get("compile", {})
    return Request(
        target,
        texts["name"],
        texts["template"],
        texts["package"],
        {
            key: _spelled(value, f"{file}: option `{key}`", whole.child("options", key))
            for key, value in options.items()
        },
        tuple(
            _attribute(name, value, file, whole.child("attributes", name))
            for name, value in attributes.items()
        ),
        texts["base"],
        read_stages(layers, f"{file}: `layers`", whole.child("layers")),
        read_compiled(compiled, f"{file}: `compile`", whole.child("compile")),
        _sources(table, whole),
    )


def _sources(table: Mapping[str, Any], whole: Entry) -> dict[str, Source]:
    """Return where the parts of a request are in the file."""
    compiled = whole.child("compile")
    return {
        **{key: whole.child(key) for key in ("name", "template", "package", "base")},
        **{f"option {key}": whole.child("options", key) for key in table.get("options", {})},
        **{key: compiled.child(key) for key in ("loss", "optimizer")},
        **{
            f"metric {metric}": compiled.child("metrics")
            for metric in table.get("compile", {}).get("metrics", ())
        },
    }


def write_spec(spec: Spec) -> bytes:
    """Return the file that `read_spec` reads this spec from."""
    import tomli_w

    own = {attribute.name: _table_of(attribute) for attribute in spec.own}
    assigned = {name: _plain(value) for name, value in spec.assigned.items()}
    table = {
        "version": VERSION,
        "target": spec.target,
        "name": spec.name,
        "template": spec.template,
        "package": spec.package,
        "base": spec.base,
        "options": dict(spec.options),
        "attributes": {**assigned, **own},
        "layers": [stage_table(stage) for stage in spec.layers],
        "compile": compiled_table(spec.compiled),
    }
    return tomli_w.dumps({key: value for key, value in table.items() if value}).encode()


def _check_seen(table: Mapping[str, Any], file: str) -> None:
    rest: list[Any] = [table]
    while rest:
        value = rest.pop()
        if isinstance(value, dict | list):
            rest += [*value, *value.values()] if isinstance(value, dict) else value
        elif isinstance(value, str) and (hidden := unprintable(value)):
            raise UnsafeError(
                f"{file}: `{shown(value)}` contains the control character {hidden}",
                fix="Write it on one line, without invisible characters.",
            )


def _attribute(name: str, value: object, file: str, at: Entry) -> Assignment | Declaration:
    where = f"{file}: attribute `{name}`"
    if not isinstance(value, dict):
        text = _spelled(value, where, at)
        return Assignment(name, text, f"{name}={text}", at)
    check_keys(value, _ATTRIBUTE_KEYS, where, at=at)
    doc = _text(value, "doc", f"{where}: `doc`", at) or ""
    kind = _text(value, "type", f"{where}: `type`", at)
    if kind is None:
        raise UsageError(
            f"{where} has no type", fix='Write `type = "float"`, for example.', place=at.name()
        )
    optional = value.get("optional", False)
    if not isinstance(optional, bool):
        raise UsageError(
            f"{where}: `optional` must be true or false",
            fix="Fix the file.",
            place=at.child("optional").value(),
        )
    if optional and "default" in value:
        raise UsageError(
            f"{where} has both a default and `optional`, which makes it None",
            fix="Remove one of them.",
            place=at.child("optional").name(),
        )
    constraint = _text(value, "constraint", f"{where}: `constraint`", at)
    with _refusing(where, at.child("type")):
        type_ = declare_type(kind)
    if constraint is not None:
        with _refusing(where, at.child("constraint")):
            type_ = declare_type(kind, constraint)
    default: Default = None if optional else REQUIRED
    if "default" in value:
        with _refusing(where, at.child("default")):
            default = type_.accept(value["default"])
    attribute = Attribute(name, type_, default, doc.strip())
    return Declaration(attribute, f"{name}:{kind}", at)


@contextmanager
def _refusing(where: str, at: Entry) -> Iterator[None]:
    """Turn what a type says is wrong into an error that points at an entry."""
    try:
        yield
    except ValueError as error:
        raise UsageError(f"{where}: {error}", fix="Fix the file.", place=at.value()) from None


def _table_of(attribute: Attribute) -> dict[str, Any]:
    table: dict[str, Any] = {"type": attribute.type.declaration()}
    if attribute.type.bounds:
        table["constraint"] = attribute.type.bounds
    if attribute.default is None:
        table["optional"] = True
    elif attribute.default is not REQUIRED:
        table["default"] = _plain(attribute.default)
    if attribute.doc:
        table["doc"] = attribute.doc
    return table


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return "None" if value is None else value


def _spelled(value: object, where: str, at: Entry) -> str:
    """Return a TOML value as typed on the command line."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float() | str():
            return str(value)
        case list() if all(isinstance(item, int) for item in value):
            return ",".join(map(str, value))
    raise UsageError(
        f"{where} can't be {value!r}",
        fix="Use a number, a string or a list of ints.",
        place=at.value(),
    )


def _section(table: Mapping[str, Any], key: str, whole: Entry) -> dict[str, Any]:
    with pointing(whole.child(key).value):
        return as_table(table.get(key, {}), f"{whole.path}: `{key}`", _SECTION)


def _text(table: Mapping[str, Any], key: str, where: str, at: Entry) -> str | None:
    with pointing(at.child(key).value):
        return as_text(table[key], where) if key in table else None
