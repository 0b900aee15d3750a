"""A case of a layer as Python source, for a test to make and call the layer with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scaffold.cases import Case, Input, Structure, case_from, inputs_of
from scaffold.keras_source.signature import BaseLayer

# The key of a sample beside those of a case.
IN_A_MODEL = "in_a_model"
_WORDS = ("red", "green", "blue")


@dataclass(frozen=True)
class Sample:
    """Arguments of the constructor and of a call, as source by name; `rng` draws the inputs.

    Args:
        arguments: Those of the constructor.
        inputs: Those of the call, by position.
        in_a_model: Whether the layer can be called with symbols of them: Keras has none of texts
            on each backend, and a few of its layers refuse them.
    """

    arguments: Mapping[str, str]
    inputs: Sequence[str]
    in_a_model: bool


def sample_of(base: BaseLayer, data: Mapping[str, Any]) -> Sample:
    """What `data`, a case as `scaffold check` reads it, is for this layer."""
    case: Case = case_from({key: data[key] for key in data if key != IN_A_MODEL})
    call = {base.call.plain[0].name: case.inputs, **case.call}
    texts = any(given.dtype == "string" for given in inputs_of(call))
    return Sample(
        {name: _source(value) for name, value in case.args.items()},
        [_drawn(call[parameter.name]) for parameter in base.call.plain[: len(call)]],
        data.get(IN_A_MODEL, True) and not texts,
    )


def _source(value: Any) -> str:
    """An argument of a constructor: a text that begins with `keras.` is source itself."""
    if isinstance(value, list):
        return f"[{', '.join(map(_source, value))}]"
    return value if isinstance(value, str) and value.startswith("keras.") else repr(value)


def _drawn(structure: Structure) -> str:
    match structure:
        case Input():
            return _array(structure)
        case Mapping():
            return "{" + ", ".join(f"{k!r}: {_drawn(v)}" for k, v in structure.items()) + "}"
        case list() | tuple():
            return f"[{', '.join(map(_drawn, structure))}]"
    return repr(structure)


def _array(given: Input) -> str:
    if given.dtype == "string":
        return f"rng.choice({list(_WORDS)!r}, size={given.shape})"
    if not given.is_float:
        high = int(given.high or 2)
        return f'rng.integers({int(given.low or 0)}, {high}, {given.shape}).astype("{given.dtype}")'
    if given.high is not None:
        bounds = f"{given.low or 0:g}, {given.high:g}"
        return f'rng.uniform({bounds}, {given.shape}).astype("{given.dtype}")'
    return f'rng.normal(size={given.shape}).astype("{given.dtype}")'
