"""Reading `name=value` and `name:type=default{constraint}`, with errors that point into it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from scaffold.errors import Place, Source, UnsafeError, UsageError
from scaffold.generation.attributes import REQUIRED, TYPES, Attribute, AttributeType, Default
from scaffold.text import nearest, shown, unprintable

_TYPE = re.compile(r"\s*(?P<keyword>[^({=\s]*)\s*(?:\((?P<parameters>[^)]*)(?P<closed>\)?))?")
_LONGEST = 2_000


@dataclass(frozen=True)
class Assignment:
    """`name=value`: a new default for an attribute of the template."""

    name: str
    value: str
    text: str
    source: Source | None = field(default=None, compare=False, repr=False)

    def name_place(self) -> Place | None:
        return self.source.name() if self.source else _name_place(self)

    def place(self) -> Place | None:
        """Return where its value is."""
        if self.source:
            return self.source.value()
        return Place(self.text, self.text.index("=") + 1, len(self.text))


@dataclass(frozen=True)
class Declaration:
    """`name:type=default{constraint}`: a new attribute."""

    attribute: Attribute
    text: str
    source: Source | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        return self.attribute.name

    def name_place(self) -> Place | None:
        return self.source.name() if self.source else _name_place(self)


def _name_place(typed: Assignment | Declaration) -> Place:
    return Place(typed.text, 0, max(len(typed.name), 1))


def read_attribute(text: str) -> Assignment | Declaration:
    """Read one attribute as typed.

    Raises:
        UsageError: If it is malformed; its place says where.
        UnsafeError: If it contains invisible characters, or is far too long.
    """
    if hidden := unprintable(text):
        raise UnsafeError(
            f"the attribute `{shown(text)}` contains the control character {hidden}",
            fix="Retype it without invisible characters.",
        )
    if len(text) > _LONGEST:
        raise UnsafeError(
            f"the attribute `{shown(text, 20)}` has {len(text)} characters",
            fix=f"The limit is {_LONGEST}.",
        )
    end_of_name = next((i for i, c in enumerate(text) if c in ":="), len(text))
    name = text[:end_of_name].strip()
    place = Place(text, 0, max(end_of_name, 1))
    if end_of_name == len(text):
        raise UsageError(
            f"`{text}` is neither name=value nor name:type",
            fix=f"Write `{name or 'name'}=...` for an attribute of the template, "
            f"`{name or 'name'}:int=1` for a new one.",
            place=place,
        )
    if text[end_of_name] == "=":
        return Assignment(name, text[end_of_name + 1 :], text)
    if name in TYPES and text[end_of_name + 1 :].split("=")[0].strip() not in TYPES:
        raise UsageError(
            f"`{name}` is a type, but the name comes first",
            fix=f"Write `{_swapped(text, end_of_name)}`.",
            place=place,
        )
    return Declaration(_declared(name, text, end_of_name + 1), text)


def declare_type(text: str, constraint: str | None = None) -> AttributeType:
    """Return the type that `ints(2)` stands for.

    Raises:
        ValueError: If there is no such type, or its parameters are invalid.
    """
    match = _TYPE.fullmatch(text)
    if match is None or match["closed"] == "":
        raise ValueError(f"`{text}` is not a type")
    if match["keyword"] not in TYPES:
        raise ValueError(_unknown_type(match["keyword"]))
    return TYPES[match["keyword"]].declare(match["parameters"], constraint)


def _declared(name: str, text: str, start: int) -> Attribute:
    match = _TYPE.match(text, start)
    assert match is not None
    end = match.end()
    if match["closed"] == "":
        raise UsageError(
            "a parenthesis is not closed",
            fix="Quote the attribute for the shell: 'mode:enum(sum,mean)=sum'.",
            place=Place(text, text.index("(", start), len(text)),
        )
    rest = text[end:]
    if rest and rest[0] not in "={":
        raise UsageError(
            f"unexpected `{rest}` after the type",
            fix="Only `=default` and `{constraint}` can follow the type.",
            place=Place(text, end, len(text)),
        )
    default, constraint = _split(rest, match["keyword"], text)
    if match["keyword"] not in TYPES:
        raise UsageError(
            _unknown_type(match["keyword"]), place=Place(text, start, start + len(match["keyword"]))
        )
    try:
        type_ = declare_type(match[0], constraint)
    except ValueError as error:
        raise UsageError(f"{error}", place=Place(text, start, end + len(rest))) from None
    if default is None:
        return Attribute(name, type_, REQUIRED)
    place = Place(text, end + 1, end + 1 + len(default))
    return Attribute(name, type_, _default(type_, default.strip(), place))


def _unknown_type(keyword: str) -> str:
    near = nearest(keyword, TYPES) or f"; the types are {', '.join(TYPES)}"
    return f"unknown type `{keyword}`{near}"


def _default(type_: AttributeType, text: str, place: Place) -> Default:
    try:
        return None if text == "None" else type_.parse(text)
    except ValueError as error:
        raise UsageError(f"invalid default: {error}", place=place) from None


def _split(rest: str, keyword: str, text: str) -> tuple[str | None, str | None]:
    """Return the default and the constraint after a type; in a `str`, braces are plain text."""
    constraint = None
    if keyword != "str" and "{" in rest:
        before, _, inner = rest.partition("{")
        constraint, closed, after = inner.partition("}")
        if not closed or (after and before):
            raise UsageError(
                "the constraint is malformed",
                fix="Close the brace and quote it for the shell: 'gain:float=1.0{>0}'.",
                place=Place(text, text.index("{"), len(text)),
            )
        rest = before + after
    return (rest[1:] if rest.startswith("=") else None), constraint


def _swapped(text: str, colon: int) -> str:
    rest = text[colon + 1 :]
    end = next((i for i, c in enumerate(rest) if c in "=({"), len(rest))
    return f"{rest[:end]}:{text[:colon]}{rest[end:]}"
