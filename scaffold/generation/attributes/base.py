"""What an attribute is, and what every type of attribute can do."""

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

    A type reads values, from the command line as text and from TOML as they are, and
    knows enough about them to document and to test them. The code that it puts into a
    generated file is in the macro file of the same name.

    Every method that reads raises `ValueError` with one clause that says what is wrong.
    """

    keyword: ClassVar[str]
    takes: ClassVar[str] = ""

    @classmethod
    def declare(cls, parameters: str | None, constraint: str | None) -> Self:
        """The type as written behind the colon, with what stands in `(...)` and `{...}`."""
        if parameters is not None:
            raise ValueError(f"`{cls.keyword}` takes nothing in parentheses")
        if constraint is not None:
            raise ValueError(f"`{cls.keyword}` takes no constraint in braces")
        return cls()

    def declaration(self) -> str:
        """The type as one would write it, parameters included, constraint not."""
        return self.keyword

    @property
    def bounds(self) -> str:
        """The constraint as one would write it between the braces, or nothing."""
        return ""

    @property
    def error(self) -> str:
        """The exception that the generated validation raises."""
        return "ValueError"

    @abstractmethod
    def parse(self, text: str) -> Value:
        """The value that `text` stands for."""

    @abstractmethod
    def accept(self, value: object) -> Value:
        """`value` as read from a file, checked and in its one canonical form."""

    @abstractmethod
    def phrase(self) -> str:
        """The type in words, for a docstring and an error: `float greater than 0`."""

    def source(self, value: Value) -> str:
        """The Python literal of `value`, in double quotes where it has none itself."""
        text = repr(value)
        return f'"{text[1:-1]}"' if text[0] == "'" and '"' not in text else text

    def as_shape(self) -> AttributeType:
        """The same of a shape, whose ints are all written."""
        raise ValueError(f"`{self.keyword}` can't be a shape")

    def signature(self, value: Value) -> str:
        """The literal of `value` as a default in a signature."""
        return self.source(value)

    def text(self, value: Value) -> str:
        """`value` as one would type it: the inverse of `parse`."""
        return str(value)

    def changed(self, default: Default) -> Value:
        """A valid value other than `default`, for tests of what depends on it."""
        raise ValueError(f"`{self.keyword}` has no such value")

    def accepted(self) -> tuple[Value, ...]:
        """Values at the edge of what the generated validation must take."""
        return ()

    def refused(self) -> tuple[object, ...]:
        """Values that the generated validation must refuse."""
        return ()

    def completions(self) -> tuple[str, ...]:
        """What a shell can offer behind the equals sign."""
        return ()


@dataclass(frozen=True)
class Attribute:
    """One argument of the generated constructor.

    Args:
        name: Its Python name.
        type: Its type, with parameters and constraint.
        default: Its default, or `REQUIRED`. `None` also admits `None` as a value.
        doc: What stands in the docstring behind its name.
        takes_none: Whether `None` is a value although the default is another one.
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
        """Whether `None` is a value of it."""
        return self.default is None or self.takes_none

    def read(self, text: str) -> Value:
        """The value of this attribute that `text` stands for; `None` is one if optional."""
        return None if text == "None" else self.type.parse(text)
