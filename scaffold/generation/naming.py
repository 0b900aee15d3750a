"""Which names a class and an attribute may have, and why others are refused."""

from __future__ import annotations

import builtins
import keyword
import re
import sys
import unicodedata
from collections.abc import Iterable

from scaffold.errors import Place, ScaffoldError, UnsafeError, UsageError
from scaffold.text import camel_case, shown, snake_case, unprintable

# Modules that a generated file or its test imports, or that would shadow a backend.
_MODULES = frozenset(
    ["conftest", "jax", "keras", "numpy", "pytest", "scaffold", "tensorflow", "torch"]
)
# Names that every generated class or its test uses itself.
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
    """Return the module that a class is written to: `conv2d_block` for `Conv2DBlock`."""
    return snake_case(class_name)


def check_class_name(name: str) -> None:
    """Refuse a name that is invalid for a class, its module or its test.

    Raises:
        UsageError: If it is invalid; the fix suggests another name.
        UnsafeError: If it contains invisible characters.
    """
    _check_identifier(name, "class name")
    from scaffold.keras_source.taken_names import LAYERS, MODELS

    module = module_name(name)
    if name in LAYERS | MODELS:
        raise UsageError(
            f"`{name}` is already a Keras class", fix=f"Call it `My{name}`, for example."
        )
    if not name[0].isupper():
        capital = _capital(name)
        raise UsageError(
            f"the class name `{name}` is not in CamelCase",
            fix=f"Call it `{capital if capital[:1].isupper() else f'My{capital}'}`.",
        )
    if keyword.iskeyword(module) or not module.isidentifier():
        raise UsageError(
            f"`{name}` would be written to {module}.py, which Python can't import",
            fix=f"Call it `My{name}`, for example.",
        )
    if module in sys.stdlib_module_names or module in _MODULES:
        raise UsageError(
            f"`{name}` would be written to {module}.py, which shadows the module `{module}`",
            fix=f"Call it `My{name}`, for example.",
        )
    if name.startswith("Test") or module.startswith("test_"):
        raise UsageError(
            f"pytest would collect `{name}` as a test",
            fix="Choose a name that doesn't begin with Test.",
        )


def check_attribute_name(name: str, taken: Iterable[str], place: Place | None = None) -> None:
    """Refuse a name that is invalid for an argument of a layer's constructor.

    Args:
        name: The name.
        taken: The names that the template itself sets on `self`.
        place: Where it was typed.

    Raises:
        UsageError: If it is invalid; the fix suggests another name.
        UnsafeError: If it contains invisible characters.
    """
    _check_identifier(name, "attribute name", place)
    from scaffold.keras_source.taken_names import LAYER_ATTRIBUTES

    fix = f"Call it `{name.strip('_')}_value`, for example."
    if name in _LOOK_ALIKE:
        raise UsageError(f"`{name}` is hard to tell from a digit", fix=fix, place=place)
    if name in LAYER_ATTRIBUTES:
        raise UsageError(
            f"`{name}` is already an attribute of every Keras layer", fix=fix, place=place
        )
    if name in taken:
        raise UsageError(f"`{name}` is used by the template itself", fix=fix, place=place)
    if name in _PARAMETERS or hasattr(builtins, name):
        raise UsageError(f"`{name}` is already used in the generated code", fix=fix, place=place)


def check_package(name: str) -> str:
    """Return `name` if Keras can register classes under it.

    Raises:
        UsageError: If it contains anything but letters, digits, `_`, `-` and `.`.
    """
    if re.fullmatch(r"[A-Za-z0-9_.-]{1,60}", name) is None:
        raise UsageError(
            f"the package `{shown(name)}` can't be part of a registered name",
            fix="Use up to 60 letters, digits, `_`, `-` and `.`, as in `--package my_project`.",
        )
    return name


def _check_identifier(name: str, what: str, place: Place | None = None) -> None:
    if hidden := unprintable(name):
        raise UnsafeError(
            f"the {what} `{shown(name)}` contains the control character {hidden}",
            fix="Retype it without invisible characters.",
            place=place,
        )
    problem = _problem(name)
    if problem:
        suggestion = "".join(c if c.isalnum() else "_" for c in name).strip("_")
        if what == "class name":
            suggestion = _capital(suggestion)
        usable = suggestion.isidentifier() and not _problem(suggestion)
        error: ScaffoldError = UsageError(
            f"`{shown(name)}` is not a valid {what}: {problem}",
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
        return "it is a Python keyword"
    if not name.strip("_"):
        return "it has no letters"
    if not name.isidentifier():
        return "use only letters, digits and `_`, with no leading digit"
    if name.startswith("__"):
        return "a leading `__` is reserved for Python"
    if unicodedata.normalize("NFKC", name) != name:
        return "Python would read it as another name (it is not in Unicode's NFKC form)"
    return ""


def _capital(name: str) -> str:
    from scaffold.keras_source.taken_names import LAYERS, MODELS

    camel = camel_case(name)
    return f"My{camel}" if camel in LAYERS | MODELS else camel
