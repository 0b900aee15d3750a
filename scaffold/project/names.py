"""Which names and texts a project and its package may have, and why others are refused."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Callable, Set
from functools import partial
from unicodedata import east_asian_width

from scaffold.errors import Place, UnsafeError, UsageError
from scaffold.text import shown, unprintable

_LONGEST = 30
_MOST = {"author": 100, "description": 90}
_PROJECT = re.compile(r"[A-Za-z](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_PACKAGE = re.compile(r"[a-z][a-z0-9_]*")
_KEYWORDS = {*keyword.kwlist, *keyword.softkwlist, "type"}  # `type` is one from Python 3.12 on.
_WINDOWS = frozenset(
    ["aux", "con", "nul", "prn", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))]
)
_PYTHON = sys.stdlib_module_names | {"test"}
_TEMPLATE = ("{{", "{%", "{#")


def check_seen(key: str, text: str) -> None:
    """Refuse a text with invisible characters, including line breaks.

    Raises:
        UnsafeError: If it contains one.
    """
    if hidden := unprintable(text):
        raise UnsafeError(
            f"`{key}` contains the control character {hidden}",
            fix="Retype it on one line, without invisible characters.",
        )


def check_plain(key: str, value: str, place: Place | None = None) -> None:
    """Refuse a value that cookiecutter would run as a template.

    Raises:
        UnsafeError: If it would.
    """
    for mark in _TEMPLATE:
        if mark in value:
            raise UnsafeError(
                f"`{key}` contains `{mark}`, which would be run as a template",
                fix="Remove it.",
                place=place,
            )


def check_project(name: str, taken: Set[str], place: Place | None = None) -> None:
    """Refuse a name that can't be installed, or that would replace another distribution.

    Args:
        name: The name.
        taken: The distributions that a project needs, in lowercase with `-`.
        place: Where it was typed.

    Raises:
        UsageError: If it is invalid; the fix suggests another name.
    """
    problem_of = partial(_project_problem, taken=taken)
    if problem := problem_of(name):
        words = re.sub(r"[^A-Za-z0-9]+", "_", name)
        raise UsageError(problem, fix=_fix("project", words, problem_of), place=place)


def check_package(name: str, taken: Set[str], place: Place | None = None) -> None:
    """Refuse a name that can't be imported, or that would shadow another module.

    Args:
        name: The name.
        taken: The modules and folders that a project has or imports.
        place: Where it was typed.

    Raises:
        UsageError: If it is invalid; the fix suggests another name.
    """
    problem_of = partial(_package_problem, taken=taken)
    if problem := problem_of(name):
        words = re.sub(r"[^a-z0-9]+", "_", name.lower())
        raise UsageError(problem, fix=_fix("package", words, problem_of), place=place)


def check_text(key: str, text: str, place: Place | None = None) -> None:
    """Refuse a text that the project's files can't contain unchanged.

    Raises:
        UsageError: If they can't.
    """
    most = _MOST.get(key, max(_MOST.values()))
    if not text:
        raise UsageError(f"`{key}` is empty", fix="Write a few words.", place=place)
    # Wide characters, such as Chinese ones, take two columns of a line.
    columns = sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
    if columns > most:
        raise UsageError(
            f"`{key}` takes {columns} columns", fix=f"The limit is {most}.", place=place
        )
    for mark in ('"', "\\"):
        if mark in text:
            raise UsageError(
                f"`{key}` contains `{mark}`, which the project's files would have to escape",
                fix="Remove it.",
                place=place,
            )


def _project_problem(name: str, taken: Set[str]) -> str:
    problem = _general_problem(name)
    if not problem and not _PROJECT.fullmatch(name):
        problem = (
            "use only letters, digits, `-`, `_` and `.`, "
            "beginning with a letter and ending with a letter or digit"
        )
    if problem:
        return f"`{shown(name)}` is not a valid project name: {problem}"
    if re.sub(r"[-_.]+", "-", name).lower() in taken:
        return f"a project `{name}` would be installed in place of its dependency `{name}`"
    return ""


def _package_problem(name: str, taken: Set[str]) -> str:
    problem = _general_problem(name)
    if not problem and name in _KEYWORDS:
        problem = "it is a Python keyword"
    if not problem and not _PACKAGE.fullmatch(name):
        problem = "use only lowercase letters, digits and `_`, beginning with a letter"
    if problem:
        return f"`{shown(name)}` is not a valid package name: {problem}"
    if name in _PYTHON:
        return f"a package `{name}` would shadow Python's module `{name}`"
    if name in taken:
        return f"a package `{name}` would shadow the `{name}` that the project uses"
    return ""


def _general_problem(name: str) -> str:
    if not name:
        return "it is empty"
    if len(name) > _LONGEST:
        return f"it has more than {_LONGEST} characters"
    if name.partition(".")[0].lower() in _WINDOWS:
        return "Windows reserves that name"
    return ""


def _fix(key: str, words: str, problem: Callable[[str], str]) -> str:
    words = words.strip("_")
    names = (name[:_LONGEST].strip("_") for name in (words, f"my_{words or key}"))
    usable = next((name for name in names if not problem(name)), None)
    return f"Use `{key}={usable}`, for example." if usable else "Choose another name."
