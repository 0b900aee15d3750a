"""Complete, tested custom Keras 3 layers and models from templates."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from scaffold.version import __version__

if TYPE_CHECKING:
    from scaffold.api import (
        Folders,
        Plan,
        Project,
        check,
        from_file,
        layer,
        model,
        template,
        templates,
    )
    from scaffold.errors import ScaffoldError

__all__ = [
    "Folders",
    "Plan",
    "Project",
    "ScaffoldError",
    "__version__",
    "check",
    "from_file",
    "layer",
    "model",
    "template",
    "templates",
]


def __getattr__(name: str) -> Any:
    """What is public is imported when it is used: `import scaffold` costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "scaffold.errors" if name == "ScaffoldError" else "scaffold.api"
    return getattr(importlib.import_module(home), name)
