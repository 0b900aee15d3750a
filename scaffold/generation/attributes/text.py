"""Attributes that are flags and words: `bool`, `str`, `enum`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from scaffold.generation.attributes.base import AttributeType, Default, Value
from scaffold.text import nearest, unprintable

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class Bool(AttributeType):
    """A flag."""

    keyword: ClassVar[str] = "bool"

    @property
    def error(self) -> str:
        return "TypeError"

    def parse(self, text: str) -> Value:
        word = text.lower()
        if word not in _TRUE + _FALSE:
            raise ValueError(f"`{text}` is neither true nor false")
        return word in _TRUE

    def accept(self, value: object) -> Value:
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is neither true nor false")
        return value

    def phrase(self) -> str:
        return "bool"

    def text(self, value: Value) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value)

    def changed(self, default: Default) -> Value:
        return default is not True

    def refused(self) -> tuple[Value, ...]:
        return ("yes", 2)

    def completions(self) -> tuple[str, ...]:
        return ("true", "false")


class Str(AttributeType):
    """Any printable string."""

    keyword: ClassVar[str] = "str"

    @property
    def error(self) -> str:
        return "TypeError"

    def parse(self, text: str) -> Value:
        return self.accept(text)

    def accept(self, value: object) -> Value:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is not a string")
        return printable(value)

    def phrase(self) -> str:
        return "str"

    def changed(self, default: Default) -> Value:
        return f"{default}_changed" if isinstance(default, str) and default else "changed"

    def refused(self) -> tuple[Value, ...]:
        return (2,)


@dataclass(frozen=True)
class Choice(AttributeType):
    """One of a few words."""

    keyword: ClassVar[str] = "enum"
    takes: ClassVar[str] = "(first,second)"
    choices: tuple[str, ...] = ()

    @classmethod
    def declare(cls, parameters: str | None, constraint: str | None) -> Self:
        if constraint is not None:
            raise ValueError("`enum` takes no constraint in braces")
        choices = tuple(word.strip() for word in (parameters or "").split(","))
        if not all(choices) or len(choices) < 2 or len(set(choices)) < len(choices):
            raise ValueError("`enum` needs two or more different words, as in `enum(sum,mean)`")
        return cls(tuple(printable(word) for word in choices))

    def declaration(self) -> str:
        return f"{self.keyword}({','.join(self.choices)})"

    def parse(self, text: str) -> Value:
        return self.accept(text)

    def accept(self, value: object) -> Value:
        if value not in self.choices:
            near = nearest(str(value), self.choices)
            raise ValueError(f"{value!r} is not one of {', '.join(self.choices)}{near}")
        return str(value)

    def phrase(self) -> str:
        *most, last = map(repr, self.choices)
        return f"{', '.join(most)} or {last}"

    def changed(self, default: Default) -> Value:
        return next(choice for choice in reversed(self.choices) if choice != default)

    def refused(self) -> tuple[Value, ...]:
        return ("-".join(self.choices),)

    def completions(self) -> tuple[str, ...]:
        return self.choices


def printable(text: str) -> str:
    """Return `text` if it has no invisible characters.

    Raises:
        ValueError: If it contains a control, format or surrogate character.
    """
    if hidden := unprintable(text):
        raise ValueError(f"it contains the control character {hidden}")
    return text
