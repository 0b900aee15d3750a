"""Complete, tested custom Keras 3 layers and models from templates."""

from __future__ import annotations

from scaffold.version import __version__

TYPE_CHECKING = False  # As `typing.TYPE_CHECKING`, without the slow import.
if TYPE_CHECKING:
    from scaffold.api import check, layer, model, template, templates
    from scaffold.changes import FilesDifferError
    from scaffold.conformance.finding import Finding, Outcome
    from scaffold.errors import (
        ConflictError,
        MissingError,
        Place,
        ScaffoldError,
        UnsafeError,
        UsageError,
    )
    from scaffold.generation.request import Request
    from scaffold.generation.spec_file import from_file
    from scaffold.generation.template import Template
    from scaffold.planning import Folders, Plan, Project

__all__ = [
    "ConflictError",
    "FilesDifferError",
    "Finding",
    "Folders",
    "MissingError",
    "Outcome",
    "Place",
    "Plan",
    "Project",
    "Request",
    "ScaffoldError",
    "Template",
    "UnsafeError",
    "UsageError",
    "__version__",
    "check",
    "from_file",
    "layer",
    "model",
    "template",
    "templates",
]
_HOMES = {
    "ConflictError": "errors",
    "FilesDifferError": "changes",
    "Finding": "conformance.finding",
    "Folders": "planning",
    "MissingError": "errors",
    "Outcome": "conformance.finding",
    "Place": "errors",
    "Plan": "planning",
    "Project": "planning",
    "Request": "generation.request",
    "ScaffoldError": "errors",
    "Template": "generation.template",
    "UnsafeError": "errors",
    "UsageError": "errors",
    "check": "api",
    "from_file": "generation.spec_file",
    "layer": "api",
    "model": "api",
    "template": "api",
    "templates": "api",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use, so that `import scaffold` stays cheap."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"scaffold.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
