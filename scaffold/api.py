"""The functions of the Python API: what to generate, the templates, and the checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from scaffold.conformance.finding import Outcome
from scaffold.errors import UsageError
from scaffold.generation.attributes.grammar import read_attribute
from scaffold.generation.catalog import TARGETS, Catalog
from scaffold.generation.composition import CompileArguments, read_use
from scaffold.generation.request import Request
from scaffold.generation.template import Template
from scaffold.text import shown

Target = Literal["layer", "model"]


def layer(
    name: str,
    *attributes: str,
    template: str | None = None,
    base: str | None = None,
    package: str | None = None,
    options: Mapping[str, object] | None = None,
) -> Request:
    """Return a request for a layer, as `scaffold layer` makes it.

    Args:
        name: The class name.
        attributes: `"filters=32"` for an attribute of the template, `"gain:float=1.0{>0}"` for a
            new one.
        template: The template's name or an alias; chosen by `name` by default.
        base: A Keras layer to derive from, such as `"keras.layers.Dense"`.
        package: The package to register the class under; the project's by default.
        options: Template options.

    Raises:
        UsageError: If an attribute is malformed.
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
    """Return a request for a model, as `scaffold model` makes it.

    Args:
        name: The class name.
        attributes: As in `layer`.
        template: As in `layer`.
        package: As in `layer`.
        options: As in `layer`, including `style` and `head`.
        layers: The layers to compose the model of, such as `"conv:filters=32"`.
        loss: The loss to compile with; the template's by default.
        optimizer: The optimizer, likewise.
        metrics: The metrics, likewise.

    Raises:
        UsageError: If an attribute or a layer is malformed.
    """
    return Request(
        "model",
        name,
        template,
        package,
        _spelled(options),
        tuple(map(read_attribute, attributes)),
        layers=tuple(map(read_use, layers)),
        compiled=CompileArguments(loss, optimizer, tuple(metrics)),
    )


def _spelled(options: Mapping[str, object] | None) -> dict[str, str]:
    """Return the options as typed on the command line."""
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in (options or {}).items()
    }


def templates(target: Target) -> tuple[Template, ...]:
    """Return all layer or model templates.

    Raises:
        UsageError: If `target` is neither `"layer"` nor `"model"`.
    """
    _check_target(target)
    return tuple(Catalog.builtin().templates(target))


def template(name: str, target: Target = "layer") -> Template:
    """Return the template with this name or alias.

    Raises:
        UsageError: If there is no such template.
    """
    _check_target(target)
    found, _ = Catalog.builtin().find(target, name)
    return found


def _check_target(target: str) -> None:
    if target not in TARGETS:
        raise UsageError(
            f"`{shown(str(target))}` is neither `layer` nor `model`", fix="Use one of the two."
        )


def check(
    *targets: str | Path,
    backend: str | Sequence[str] = (),
    args: Mapping[str, Any] | None = None,
    input: Any = None,  # noqa: A002 - the name on the command line
    tags: Sequence[str] = (),
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    timeout: float = 120.0,
) -> list[Outcome]:
    """Check layers and models against Keras's contract, in separate processes.

    `scaffold.conformance.check` does the same in this process, for a class object.

    Args:
        targets: `file.py:Class`, `file.py`, `module:Class`, `module` or folders.
        backend: One backend, several, or `"all"`; the one that Keras selects by default.
        args: Constructor arguments.
        input: The input of `call`, such as `"2,8,8,3"` or a shape.
        tags: What the class intentionally does differently from most.
        only: Ids of the checks to report; all by default.
        skip: Ids of checks not to report.
        timeout: Maximum seconds per check.

    Returns:
        The outcome of each check, for each class, case and backend.

    Raises:
        UsageError: If a target or an argument is malformed.
        MissingError: If a target or a backend is not found.
    """
    from scaffold.cases import structure_from
    from scaffold.conformance.backends import choose
    from scaffold.conformance.process import session
    from scaffold.conformance.registry import refuse_unknown_tags, select

    if not targets:
        raise UsageError(
            "no target given",
            fix="Name a class, a file or a folder, such as `my_layers.py:MyLayer`.",
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
