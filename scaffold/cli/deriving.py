"""The command that derives a layer from Keras's own instead of generating all of it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from scaffold.errors import ScaffoldError
from scaffold.generation.attributes.grammar import Assignment

if TYPE_CHECKING:
    from pathlib import Path

    from scaffold.generation.catalog import Catalog
    from scaffold.generation.request import Request
    from scaffold.generation.spec import Resolved


def derived(catalog: Catalog, request: Request, resolved: Resolved) -> Request | None:
    """Return the same request based on the equivalent Keras layer; `None` if there is none.

    Defaults of arguments that the Keras layer does not have are left out.
    """
    from scaffold.generation.resolving import resolve
    from scaffold.keras_source import read_base

    spec = resolved.spec
    built_in = resolved.template.built_in(spec.options)
    if not built_in:
        return None
    try:
        known = {parameter.name for parameter in read_base(built_in).constructor.plain}
        kept = tuple(
            one
            for one in request.attributes
            if not isinstance(one, Assignment) or one.name in known
        )
        asked = replace(request, template=None, options={}, attributes=kept, base=built_in)
        resolve(catalog, asked, spec.package)
    except ScaffoldError:  # Keras is not installed, or its layer can't have an attribute.
        return None
    return asked


def typed(request: Request, paths: dict[str, Path | None], flags: dict[str, bool]) -> str:
    """Return the command line of a request.

    Args:
        request: The request.
        paths: Options that take a path, by name.
        flags: Flags, by name.
    """

    def words() -> Iterator[str]:
        yield from ("scaffold", request.target, str(request.name))
        yield from ("--base", str(request.base))
        yield from (attribute.text for attribute in request.attributes)
        for name, path in paths.items():
            if path is not None:
                yield from (f"--{name}", path.as_posix())
        if request.package:
            yield from ("--package", request.package)
        yield from (f"--{name}" for name, given in flags.items() if given)

    return shlex.join(words())
