"""The functions of the Python API: what to generate, the templates, and the checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from scaffold.errors import UsageError
from scaffold.generation.attributes.grammar import read_attribute
from scaffold.generation.catalog import TARGETS, Catalog
from scaffold.generation.composition import Compiled, read_use
from scaffold.generation.spec import Request
from scaffold.generation.template import Template
from scaffold.text import shown

if TYPE_CHECKING:
    from scaffold.conformance.finding import Outcome

Target = Literal["layer", "model"]


def layer(
    name: str,
    *attributes: str,
    template: str | None = None,
    base: str | None = None,
    package: str | None = None,
    options: Mapping[str, object] | None = None,
) -> Request:
    """A layer to generate, as on the command line of `scaffold layer`.

    Args:
        name: The class name.
        attributes: `"filters=32"` for one that the template has, `"gain:float=1.0{>0}"` for one of
            one's own.
        template: The template's name, or one of its words; else the words of `name` tell.
        base: A layer of Keras to derive from, such as `"keras.layers.Dense"`.
        package: The name that Keras registers the class under; else the project's.
        options: Options of the template.

    Raises:
        UsageError: If an attribute is not well-formed.
    """
    read = tuple(map(read_attribute, attributes))
    return Request("layer", name, template, package, _spelled(options), read, base)


def model(
    name: str,
    *attributes: str,
    template: str | None = None,
    package: str | None = None,
    options: Mapping[str, object] | None = None,
    layers: Sequence[str] = (),
    loss: str = "",
    optimizer: str = "",
    metrics: Sequence[str] = (),
) -> Request:
    """A model to generate, as on the command line of `scaffold model`.

    Args:
        name: The class name.
        attributes: As in `layer`.
        template: As in `layer`.
        package: As in `layer`.
        options: As in `layer`; `style` and `head` among them.
        layers: What the model is composed of, such as `"conv:filters=32"`.
        loss: What it is compiled with; else what the template says.
        optimizer: Likewise.
        metrics: Likewise.

    Raises:
        UsageError: If an attribute or a layer is not well-formed.
    """
    return Request(
        "model",
        name,
        template,
        package,
        _spelled(options),
        tuple(map(read_attribute, attributes)),
        layers=tuple(map(read_use, layers)),
        compiled=Compiled(loss, optimizer, tuple(metrics)),
    )


def _spelled(options: Mapping[str, object] | None) -> dict[str, str]:
    """Options as one would type them."""
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in (options or {}).items()
    }


def templates(target: Target) -> tuple[Template, ...]:
    """All templates of layers or of models.

    Raises:
        UsageError: If `target` is something else.
    """
    _check_target(target)
    return tuple(Catalog.builtin().templates(target))


def template(name: str, target: Target = "layer") -> Template:
    """The template of a name, or of one of the words that people use for it.

    Raises:
        UsageError: If there is none.
    """
    _check_target(target)
    found, _ = Catalog.builtin().find(target, name)
    return found


def _check_target(target: str) -> None:
    if target not in TARGETS:
        raise UsageError(
            f"`{shown(str(target))}` is neither `layer` nor `model`", fix="Write one of the two."
        )


def check(
    *targets: str | Path,
    backend: str | Sequence[str] = (),
    args: Mapping[str, Any] | None = None,
    input: Any = None,  # noqa: A002 - the word of the command line
    tags: Sequence[str] = (),
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    timeout: float = 120.0,
) -> list[Outcome]:
    """Check layers and models against Keras's contract, in processes of their own.

    `check` of `scaffold.conformance` does the same in this process, for a class at hand.

    Args:
        targets: `file.py:Class`, `file.py`, `module:Class`, `module` or folders.
        backend: One backend, several, or `"all"`; else the one that Keras would take.
        args: Arguments of the constructor.
        input: What `call` gets, such as `"2,8,8,3"` or a shape.
        tags: What the class is meant to do otherwise than most.
        only: Ids of the checks to report; all if left out.
        skip: Ids of checks not to report.
        timeout: Seconds that one check may take.

    Returns:
        How each check ended, for each class, case and backend.

    Raises:
        UsageError: If a target or an argument is not well-formed.
        MissingError: If a target or a backend is not there.
    """
    from scaffold.cases import structure_from
    from scaffold.conformance.backends import choose
    from scaffold.conformance.finding import Outcome
    from scaffold.conformance.process import session
    from scaffold.conformance.registry import refuse_unknown_tags, select

    if not targets:
        raise UsageError(
            "nothing is named to check",
            fix="Name a class, a file or a folder: `my_layers.py:MyLayer`",
        )
    refuse_unknown_tags(tags)
    request = session.Request(
        targets=tuple(map(str, targets)),
        backends=choose((backend,) if isinstance(backend, str) else backend),
        checks=tuple(one.id for one in select(only, skip)),
        args=args,
        inputs=None if input is None else structure_from(input),
        tags=frozenset(tags),
        timeout=timeout,
    )
    return [one for one in session.run_session(request) if isinstance(one, Outcome)]
