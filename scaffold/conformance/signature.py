"""The parameters of a class's constructor, including those of its bases."""

from __future__ import annotations

import inspect
from typing import Any

from scaffold.conformance.source import Source
from scaffold.keras_source import HandedOn, Parameter

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def constructor_parameters(cls: Any) -> dict[str, inspect.Parameter]:
    """Return the named parameters of a class's constructor, without `self`.

    If the source passes `**kwargs` on to the base's constructor, its parameters are included.
    What Keras's own classes pass on is not followed.
    """
    owner, *bases = (one for one in cls.__mro__ if "__init__" in vars(one))
    found = list(inspect.signature(owner.__init__).parameters.values())[1:]
    own = {parameter.name: parameter for parameter in found if parameter.kind in _NAMED}
    method = Source(owner).method("__init__")
    if _is_keras(owner) or method is None or not bases or _is_root(bases[0]):
        return own
    handed = HandedOn.by(method)
    theirs = constructor_parameters(bases[0])
    still = handed.open(own, [_plain(parameter) for parameter in theirs.values()])
    return own | {
        one.name: theirs[one.name]
        for one in still
        if handed.as_given or theirs[one.name].default is not inspect.Parameter.empty
    }


def _is_keras(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in ("keras", "keras_hub")


def _is_root(cls: type) -> bool:
    """Return whether it is a root of all layers or models, whose arguments don't count."""
    return _is_keras(cls) and cls.__name__ in ("Layer", "Model", "Operation", "object")


def _plain(parameter: inspect.Parameter) -> Parameter:
    return Parameter(parameter.name, by_name=parameter.kind is inspect.Parameter.KEYWORD_ONLY)
