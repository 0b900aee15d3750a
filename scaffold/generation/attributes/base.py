"""Attributes, and the interface of their types."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Final, Literal, Self

Value = int | float | bool | str | tuple[int, ...] | None


class _Required(Enum):
    REQUIRED = "required"


REQUIRED: Final = _Required.REQUIRED
Default = Value | Literal[_Required.REQUIRED]


@dataclass(frozen=True)
class AttributeType(ABC):
    """A type that an attribute can be declared with.

    A type reads values, from the command line as text and from TOML as objects, and
    knows enough about them to document and test them. The code that it puts into a
    generated file is in the macro file of the same name.

    Every method that reads raises `ValueError` with one clause that says what is wrong.
    """

    keyword: ClassVar[str]
    takes: ClassVar[str] = ""

    @classmethod
    def declare(cls, parameters: str | None, constraint: str | None) -> Self:
        """Return the type as written after the colon, with the contents of `(...)` and `{...}`."""
        if parameters is not None:
            raise ValueError(f"`{cls.keyword}` takes no parameters in parentheses")
        if constraint is not None:
            raise ValueError(f"`{cls.keyword}` takes no constraint in braces")
        return cls()

    def declaration(self) -> str:
        """Return the type as typed, with its parameters but without its constraint."""
        return self.keyword

    @property
    def bounds(self) -> str:
        """The constraint as typed between the braces, or an empty string."""
        return ""

    @property
    def error(self) -> str:
        """The exception that the generated validation raises."""
        return "ValueError"

    @abstractmethod
    def parse(self, text: str) -> Value:
        """Return the value that `text` stands for."""

    @abstractmethod
    def accept(self, value: object) -> Value:
        """Return `value`, as read from a file, checked and in its canonical form."""

    @abstractmethod
    def phrase(self) -> str:
        """Return the type in words, for a docstring or an error: `float greater than 0`."""

    def source(self, value: Value) -> str:
        """Return the Python literal of `value`, in double quotes unless it contains them."""
        text = repr(value)
        return f'"{text[1:-1]}"' if text[0] == "'" and '"' not in text else text

    def as_shape(self) -> AttributeType:
        """Return the same type for a shape, whose ints are all written out."""
        raise ValueError(f"`{self.keyword}` can't be a shape")

    def signature(self, value: Value) -> str:
        """Return the literal of `value` as a default in a signature."""
        return self.source(value)

    def text(self, value: Value) -> str:
        """Return `value` as typed: the inverse of `parse`."""
        return str(value)

    def changed(self, default: Default) -> Value:
        """Return a valid value other than `default`, for tests of what depends on it."""
        raise ValueError(f"`{self.keyword}` has no other value")

    def accepted(self) -> tuple[Value, ...]:
        """Return values at the edge of what the generated validation must accept."""
        return ()

    def refused(self) -> tuple[object, ...]:
        """Return values that the generated validation must refuse."""
        return ()

    def completions(self) -> tuple[str, ...]:
        """Return what a shell can offer after the equals sign."""
        return ()


@dataclass(frozen=True)
class Attribute:
    """One argument of the generated constructor.

    Args:
        name: Its Python name.
        type: Its type, with parameters and constraint.
        default: Its default, or `REQUIRED`. `None` also allows `None` as a value.
        doc: Its description in the docstring.
        takes_none: Whether `None` is allowed although it is not the default.
    """

    name: str
    type: AttributeType
    default: Default = REQUIRED
    doc: str = ""
    takes_none: bool = False

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    @property
    def optional(self) -> bool:
        """Whether `None` is a valid value."""
        return self.default is None or self.takes_none

    def read(self, text: str) -> Value:
        """Return the value of this attribute that `text` stands for, which may be `None`."""
        return None if text == "None" else self.type.parse(text)
