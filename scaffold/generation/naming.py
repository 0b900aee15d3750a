"""Which names a class and an attribute may have, and why not."""

from __future__ import annotations

import builtins
import keyword
import re
import sys
import unicodedata
from collections.abc import Iterable

from scaffold.errors import Place, ScaffoldError, UnsafeError, UsageError
from scaffold.text import camel_case, shown, snake_case, unprintable

# Modules that a generated file or its test imports, or that would hide a backend.
_MODULES = frozenset(
    ["conftest", "jax", "keras", "numpy", "pytest", "scaffold", "tensorflow", "torch"]
)
# Names that every generated class or its test uses for something of its own.
_PARAMETERS = frozenset(
    [
        "cls",
        "config",
        "inputs",
        "input_shape",
        "int_tuple",
        "is_int",
        "keras",
        "kwargs",
        "numbers",
        "ops",
        "self",
    ]
)
_LOOK_ALIKE = frozenset(["I", "O", "l"])
_LONGEST = 60


def module_name(class_name: str) -> str:
    """The module that a class is written to: `Conv2DBlock` gives `conv2d_block`."""
    return snake_case(class_name)


def check_class_name(name: str) -> None:
    """Refuse a name that no class, module or test of it can have.

    Raises:
        UsageError: Why, and what to call it instead.
        UnsafeError: If it holds characters that cannot be seen.
    """
    _check_identifier(name, "class name")
    from scaffold.keras_source.taken_names import LAYERS, MODELS

    module = module_name(name)
    if name in LAYERS | MODELS:
        raise UsageError(
            f"`{name}` is a layer of Keras already", fix=f"Call it `My{name}`, for example."
        )
    if not name[0].isupper():
        capital = _capital(name)
        raise UsageError(
            f"`{name}` is no class name, which is written in CamelCase",
            fix=f"Call it `{capital if capital[:1].isupper() else f'My{capital}'}`.",
        )
    if keyword.iskeyword(module) or not module.isidentifier():
        raise UsageError(
            f"`{name}` would be written to {module}.py, which Python cannot import",
            fix=f"Call it `My{name}`, for example.",
        )
    if module in sys.stdlib_module_names or module in _MODULES:
        raise UsageError(
            f"`{name}` would be written to {module}.py, which hides the module `{module}`",
            fix=f"Call it `My{name}`, for example.",
        )
    if name.startswith("Test") or module.startswith("test_"):
        raise UsageError(
            f"pytest would take `{name}` for a test",
            fix="Choose a name that doesn't begin with Test.",
        )


def check_attribute_name(name: str, taken: Iterable[str], place: Place | None = None) -> None:
    """Refuse a name that no argument of a layer's constructor can have.

    Args:
        name: The name.
        taken: What the template itself keeps under `self`.
        place: Where it was typed.

    Raises:
        UsageError: Why, and what to call it instead.
        UnsafeError: If it holds characters that cannot be seen.
    """
    _check_identifier(name, "attribute name", place)
    from scaffold.keras_source.taken_names import LAYER_ATTRIBUTES

    fix = f"Call it `{name.strip('_')}_value`, for example."
    if name in _LOOK_ALIKE:
        raise UsageError(f"`{name}` is hard to tell from a digit", fix=fix, place=place)
    if name in LAYER_ATTRIBUTES:
        raise UsageError(
            f"`{name}` is an attribute of every Keras layer already", fix=fix, place=place
        )
    if name in taken:
        raise UsageError(f"`{name}` is a name of the template's own", fix=fix, place=place)
    if name in _PARAMETERS or hasattr(builtins, name):
        raise UsageError(f"`{name}` is taken in the generated code", fix=fix, place=place)


def check_package(name: str) -> str:
    """`name`, if Keras can register classes under it.

    Raises:
        UsageError: If it holds more than letters, digits, `_`, `-` and `.`.
    """
    if re.fullmatch(r"[A-Za-z0-9_.-]{1,60}", name) is None:
        raise UsageError(
            f"the package `{shown(name)}` can't stand in a registered name",
            fix="Take up to 60 letters, digits, `_`, `-` and `.`, as in `--package my_project`.",
        )
    return name


def _check_identifier(name: str, what: str, place: Place | None = None) -> None:
    if hidden := unprintable(name):
        raise UnsafeError(
            f"the {what} `{shown(name)}` holds the control character {hidden}",
            fix="Type it again, without what cannot be seen.",
            place=place,
        )
    problem = _problem(name)
    if problem:
        suggestion = "".join(c if c.isalnum() else "_" for c in name).strip("_")
        if what == "class name":
            suggestion = _capital(suggestion)
        usable = suggestion.isidentifier() and not _problem(suggestion)
        error: ScaffoldError = UsageError(
            f"`{shown(name)}` is no {what}: {problem}",
            fix=f"Call it `{suggestion}`, for example." if usable else "Choose another name.",
            place=place,
        )
        raise error


def _problem(name: str) -> str:
    if not name:
        return "it is empty"
    if len(name) > _LONGEST:
        return f"it has more than {_LONGEST} characters"
    if keyword.iskeyword(name):
        return "it is a keyword of Python"
    if not name.strip("_"):
        return "it has no letter"
    if not name.isidentifier():
        return "Python allows letters, digits and `_`, and no digit first"
    if name.startswith("__"):
        return "two underscores in front are Python's own"
    if unicodedata.normalize("NFKC", name) != name:
        return "Python would read it as another name (it is not in Unicode's NFKC form)"
    return ""


def _capital(name: str) -> str:
    from scaffold.keras_source.taken_names import LAYERS, MODELS

    camel = camel_case(name)
    return f"My{camel}" if camel in LAYERS | MODELS else camel
