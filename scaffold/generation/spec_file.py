"""Specs as TOML: a spec that is written reads back the same."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from scaffold.errors import MissingError, UnsafeError, UsageError
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
from scaffold.toml_tables import as_table, as_text, check_keys

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
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is not valid TOML: {error}", fix="Fix the file.") from None
    _check_seen(table, file)
    check_keys(table, _KEYS, file)
    if table.get("version") != VERSION or isinstance(table["version"], bool):
        raise UsageError(
            f"{file} has version {table.get('version')!r}; this scaffold reads {VERSION}",
            fix=f"Write `version = {VERSION}`.",
        )
    texts = {key: _text(table.get(key), f"{file}: `{key}`") for key in _KEYS[1:6]}
    target = texts["target"] or "layer"
    if target not in TARGETS:
        raise UsageError(
            f"{file}: `target` is `{target}`{nearest(target, TARGETS)}",
            fix=f"It must be one of {', '.join(TARGETS)}.",
        )
    options = as_table(table.get("options", {}), f"{file}: `options`", _SECTION)
    attributes = as_table(table.get("attributes", {}), f"{file}: `attributes`", _SECTION)
    return Request(
        target,
        texts["name"],
        texts["template"],
        texts["package"],
        {key: _spelled(value, f"{file}: option `{key}`") for key, value in options.items()},
        tuple(_attribute(name, value, file) for name, value in attributes.items()),
        texts["base"],
        read_stages(table.get("layers", []), f"{file}: `layers`"),
        read_compiled(table.get("compile", {}), f"{file}: `compile`"),
    )


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


def _attribute(name: str, value: object, file: str) -> Assignment | Declaration:
    where = f"{file}: attribute `{name}`"
    if not isinstance(value, dict):
        text = _spelled(value, where)
        return Assignment(name, text, f"{name}={text}")
    check_keys(value, _ATTRIBUTE_KEYS, where)
    doc = _text(value.get("doc"), f"{where}: `doc`") or ""
    kind = _text(value.get("type"), f"{where}: `type`")
    if kind is None:
        raise UsageError(f"{where} has no type", fix='Write `type = "float"`, for example.')
    optional = value.get("optional", False)
    if not isinstance(optional, bool):
        raise UsageError(f"{where}: `optional` must be true or false", fix="Fix the file.")
    if optional and "default" in value:
        raise UsageError(
            f"{where} has both a default and `optional`, which makes it None",
            fix="Remove one of them.",
        )
    try:
        type_ = declare_type(kind, _text(value.get("constraint"), f"{where}: `constraint`"))
        default: Default = None if optional else REQUIRED
        if "default" in value:
            default = type_.accept(value["default"])
    except ValueError as error:
        raise UsageError(f"{where}: {error}", fix="Fix the file.") from None
    attribute = Attribute(name, type_, default, doc.strip())
    return Declaration(attribute, f"{name}:{kind}")


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


def _spelled(value: object, where: str) -> str:
    """Return a TOML value as typed on the command line."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float() | str():
            return str(value)
        case list() if all(isinstance(item, int) for item in value):
            return ",".join(map(str, value))
    raise UsageError(f"{where} can't be {value!r}", fix="Use a number, a string or a list of ints.")


def _text(value: object, where: str) -> str | None:
    return None if value is None else as_text(value, where)
