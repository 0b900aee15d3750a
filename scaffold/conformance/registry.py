"""The checks: each is a function with a page, found by its id without importing Keras."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from scaffold.errors import UsageError
from scaffold.text import nearest, shown

if TYPE_CHECKING:
    from scaffold.conformance.finding import Finding
    from scaffold.conformance.subject import Subject

Target = Literal["any", "layer", "model"]
Run = Callable[["Subject"], Iterator["Finding"]]

# In the order they run: what other checks need comes first, slow ones last.
FAMILIES = (
    "construction",
    "configuration",
    "portability",
    "weights",
    "building",
    "training_state",
    "symbolic",
    "batches",
    "dtypes",
    "training",
    "masks",
    "randomness",
    "compiled",
    "losses",
    "saving",
    "copies",
    "hosts",
    "life",
    "models",
    "agreement",
)
_PAGE = re.compile(
    r"(?P<title>[^\n]+)\n\n(?P<why>.+?)\n\nFix: (?P<fix>.+?)\n\nExample:\n(?P<example>.+)",
    re.DOTALL,
)
_IMPORTS = "import keras\nfrom keras import ops\n\n\n"


class NotApplicable(Exception):  # noqa: N818 - not an error
    """The check doesn't apply to this layer, for the reason given."""


@dataclass(frozen=True)
class Check:
    """A run-time test of Keras's contract, with its page.

    Args:
        id: Its stable name, as `--only`, `--skip` and `expected_failures` take it.
        family: The module of `conformance.families` that contains it.
        title: What it requires, in one sentence.
        why: What goes wrong if it fails.
        fix: How to fix it.
        example: Faulty code and its fix, as a diff.
        needs: Ids of the checks that must pass for this one to be meaningful.
        target: What it applies to: layers, models or both.
        tag: The tag that declares that a layer is meant to fail it; empty if there is none.
        run: Yields its findings.
    """

    id: str
    family: str
    title: str
    why: str
    fix: str
    example: str
    needs: tuple[str, ...]
    target: Target
    tag: str
    run: Run

    @property
    def bad(self) -> str:
        """The example as a module, with the fault."""
        return _IMPORTS + _side(self.example, "-")

    @property
    def good(self) -> str:
        """The same module, fixed."""
        return _IMPORTS + _side(self.example, "+")


def _side(diff: str, sign: str) -> str:
    return "".join(
        line[2:] or "\n" for line in diff.splitlines(True) if line[0] in (sign, " ", "\n")
    )


_REGISTERED: dict[str, Check] = {}


def register(
    *, needs: Iterable[str] = ("runs",), target: Target = "any", tag: str = ""
) -> Callable[[Run], Run]:
    """Register a function as a check: its name is the id, its docstring the page.

    The docstring has a title, one or more paragraphs that say why, and the sections `Fix: ...` and
    `Example:`, a diff in which faulty lines begin with `-` and those of the fix with `+`.

    Args:
        needs: Checks that must pass for this one to be meaningful.
        target: What it applies to: layers, models or both.
        tag: The tag that declares that a layer is meant to fail it.

    Raises:
        ValueError: If the docstring is not such a page, or a needed check does not run before it.
    """

    def add(run: Run) -> Run:
        page = _PAGE.fullmatch(inspect.cleandoc(_docstring(run)))
        if page is None:
            raise ValueError(f"the docstring of {run.__name__} is not the page of a check")
        id_ = run.__name__.replace("_", "-")
        if missing := [need for need in needs if need not in _REGISTERED]:
            raise ValueError(f"{id_} needs {missing}, which do not run before it")
        sections = {key: _section(key, text) for key, text in page.groupdict().items()}
        family = run.__module__.rpartition(".")[2]
        _REGISTERED[id_] = Check(id_, family, **sections, needs=tuple(needs), target=target,
                                 tag=tag, run=run)  # fmt: skip
        return run

    return add


def _docstring(run: Run) -> str:
    """Return a function's docstring; from its source if Python has dropped it, as under `-OO`."""
    if run.__doc__ is not None:
        return run.__doc__
    (function,) = ast.parse(inspect.getsource(run)).body
    assert isinstance(function, ast.FunctionDef)
    return ast.get_docstring(function, clean=False) or ""


def _section(key: str, text: str) -> str:
    if key == "example":
        return textwrap.dedent(text) + "\n"
    paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
    return "\n\n".join(paragraphs)


@cache
def checks() -> tuple[Check, ...]:
    """Return all checks, in the order they run. Doesn't import Keras."""
    for family in FAMILIES:
        importlib.import_module(f"scaffold.conformance.families.{family}")
    return tuple(_REGISTERED.values())


def find(id_: str) -> Check:
    """Return the check with this id.

    Raises:
        UsageError: If there is none.
    """
    known = {check.id: check for check in checks()}
    if id_ not in known:
        raise UsageError(
            f"check `{shown(id_)}` not found{nearest(id_, known)}",
            fix="See `scaffold check --list`",
        )
    return known[id_]


def select(only: Iterable[str] = (), skip: Iterable[str] = ()) -> list[Check]:
    """Return the checks to report: all, or those in `only`, without those in `skip`.

    Raises:
        UsageError: If an id is unknown, or no check is left.
    """
    wanted = {find(id_).id for id_ in only} or {check.id for check in checks()}
    wanted -= {find(id_).id for id_ in skip}
    if not wanted:
        raise UsageError("no checks left to run", fix="Skip fewer checks")
    return [check for check in checks() if check.id in wanted]


def with_needed(chosen: Iterable[Check]) -> list[Check]:
    """Return the chosen checks and all that they need, in the order they run."""
    ids = {id_ for check in chosen for id_ in _needed(check)}
    return [check for check in checks() if check.id in ids]


def _needed(check: Check) -> Iterator[str]:
    yield check.id
    for need in check.needs:
        yield from _needed(find(need))


def tags() -> dict[str, Check]:
    """Return each tag with the check that layers with this tag are meant to fail."""
    return {check.tag: check for check in checks() if check.tag}


def refuse_unknown_tags(words: Iterable[str]) -> None:
    """Ensure that all of these are tags.

    Raises:
        UsageError: If one is not.
    """
    known = tags()
    for word in words:
        if word not in known:
            fix = f"The tags are {', '.join(known)}" if known else ""
            raise UsageError(f"tag `{shown(word)}` not found{nearest(word, known)}", fix=fix)
