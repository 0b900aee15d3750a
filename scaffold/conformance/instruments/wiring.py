"""Arguments for single weights: `kernel_regularizer`, `bias_initializer` and so on."""

from __future__ import annotations

from typing import Any

from scaffold.conformance.lazy import keras
from scaffold.conformance.registry import NotApplicable
from scaffold.conformance.subject import Subject


def arguments_named(subject: Subject, suffix: str, base: Any) -> list[str]:
    """Return the constructor arguments that take an object of this kind.

    Args:
        subject: The class.
        suffix: `regularizer`, `initializer` or `constraint`.
        base: The class of these objects; an argument with a default of another type doesn't count.

    Raises:
        NotApplicable: If there are none.
    """
    found = [
        name
        for name, parameter in subject.parameters.items()
        if (name == suffix or name.endswith(f"_{suffix}"))
        and isinstance(parameter.default, base | str | dict | type(None))
    ]
    if not found:
        raise NotApplicable(f"its constructor takes no {suffix}")
    return found


def is_off(subject: Subject, layer: Any, argument: str) -> bool:
    """Return whether the weight that an argument is for may be turned off by another argument.

    This is so if no weight has its name and an argument such as `use_bias` is `False`, or if all
    weights belong to layers that were passed in: a layer without weights has none to wire it to.
    """
    if not _makes_weights(subject, layer):
        return True
    stem = argument.rpartition("_")[0]
    if any(stem == variable.name for variable in layer.weights):
        return False
    given = {name: parameter.default for name, parameter in subject.parameters.items()}
    given |= subject.case.args
    related = {"beta": "center", "gamma": "scale"}.get(stem, stem)
    return any(value is False and related in name for name, value in given.items())


def _makes_weights(subject: Subject, layer: Any) -> bool:
    given = (getattr(layer, name, None) for name in subject.parameters)
    layers = [one for one in given if isinstance(one, keras.layers.Layer)]
    theirs = {id(variable) for one in layers for variable in one.weights}
    return any(id(variable) not in theirs for variable in layer.weights)


def made_and_called(subject: Subject, **overrides: Any) -> Any:
    """Return an instance that was called, the same each time except for `overrides`."""
    keras.utils.set_random_seed(1)
    layer = subject.make(**overrides)
    subject.call(layer, training=False)
    return layer
