"""What a project, its package and its texts may be called, and why not."""

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
    """Refuse a text that holds what cannot be seen, a line break among it.

    Raises:
        UnsafeError: What it holds.
    """
    if hidden := unprintable(text):
        raise UnsafeError(
            f"`{key}` holds the control character {hidden}",
            fix="Type it again, in one line and without what cannot be seen.",
        )


def check_plain(key: str, value: str, place: Place | None = None) -> None:
    """Refuse a value that cookiecutter would run as a template.

    Raises:
        UnsafeError: What it holds.
    """
    for mark in _TEMPLATE:
        if mark in value:
            raise UnsafeError(
                f"`{key}` holds `{mark}`, which would be run as a template",
                fix="Write it without.",
                place=place,
            )


def check_project(name: str, taken: Set[str], place: Place | None = None) -> None:
    """Refuse a name that cannot be installed, or that would take the place of another.

    Args:
        name: It.
        taken: The distributions that a project needs, in small letters with `-`.
        place: Where it was typed.

    Raises:
        UsageError: Why, and what to call it instead.
    """
    problem_of = partial(_project_problem, taken=taken)
    if problem := problem_of(name):
        words = re.sub(r"[^A-Za-z0-9]+", "_", name)
        raise UsageError(problem, fix=_fix("project", words, problem_of), place=place)


def check_package(name: str, taken: Set[str], place: Place | None = None) -> None:
    """Refuse a name that cannot be imported, or that would hide another module.

    Args:
        name: It.
        taken: The modules and folders that a project has or imports.
        place: Where it was typed.

    Raises:
        UsageError: Why, and what to call it instead.
    """
    problem_of = partial(_package_problem, taken=taken)
    if problem := problem_of(name):
        words = re.sub(r"[^a-z0-9]+", "_", name.lower())
        raise UsageError(problem, fix=_fix("package", words, problem_of), place=place)


def check_text(key: str, text: str, place: Place | None = None) -> None:
    """Refuse a text that the project's files could not hold as it is.

    Raises:
        UsageError: Why.
    """
    most = _MOST.get(key, max(_MOST.values()))
    if not text:
        raise UsageError(f"`{key}` is empty", fix="Write a few words.", place=place)
    # Wide characters, as of Chinese, count twice where lines are measured.
    columns = sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
    if columns > most:
        raise UsageError(
            f"`{key}` takes {columns} columns", fix=f"The most is {most}.", place=place
        )
    for mark in ('"', "\\"):
        if mark in text:
            raise UsageError(
                f"`{key}` holds `{mark}`, which the project's files would have to escape",
                fix="Write it without.",
                place=place,
            )


def _project_problem(name: str, taken: Set[str]) -> str:
    problem = _general_problem(name)
    if not problem and not _PROJECT.fullmatch(name):
        problem = "it has letters, digits, `-`, `_` and `.`, a letter first and no mark last"
    if problem:
        return f"`{shown(name)}` is no name of a project: {problem}"
    if re.sub(r"[-_.]+", "-", name).lower() in taken:
        return f"a project `{name}` would be installed in place of the `{name}` that it needs"
    return ""


def _package_problem(name: str, taken: Set[str]) -> str:
    problem = _general_problem(name)
    if not problem and name in _KEYWORDS:
        problem = "it is a keyword of Python"
    if not problem and not _PACKAGE.fullmatch(name):
        problem = "it has small letters, digits and `_`, a letter first"
    if problem:
        return f"`{shown(name)}` is no name of a package: {problem}"
    if name in _PYTHON:
        return f"a package `{name}` would hide the module `{name}` of Python"
    if name in taken:
        return f"a package `{name}` would hide the `{name}` that the project uses"
    return ""


def _general_problem(name: str) -> str:
    if not name:
        return "it is empty"
    if len(name) > _LONGEST:
        return f"it has more than {_LONGEST} characters"
    if name.partition(".")[0].lower() in _WINDOWS:
        return "Windows has no such folder"
    return ""


def _fix(key: str, words: str, problem: Callable[[str], str]) -> str:
    words = words.strip("_")
    names = (name[:_LONGEST].strip("_") for name in (words, f"my_{words or key}"))
    usable = next((name for name in names if not problem(name)), None)
    return f"Take `{key}={usable}`, for example." if usable else "Choose another name."
