"""A case of a layer as Python source, with which a test creates and calls the layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scaffold.cases import Case, Input, Structure, case_from, inputs_of
from scaffold.keras_source.signature import BaseLayer

# The key of a sample in addition to those of a case.
IN_A_MODEL = "in_a_model"
_WORDS = ("red", "green", "blue")


@dataclass(frozen=True)
class Sample:
    """Constructor and call arguments as source; `rng` draws the inputs.

    Args:
        arguments: The constructor arguments, by name.
        inputs: The call arguments, by position.
        in_a_model: Whether the layer can be called symbolically: some backends have no symbolic
            strings, and a few layers of Keras refuse symbolic inputs.
    """

    arguments: Mapping[str, str]
    inputs: Sequence[str]
    in_a_model: bool


def sample_of(base: BaseLayer, data: Mapping[str, Any]) -> Sample:
    """Return the sample for this layer from `data`, a case in the form of `scaffold check`."""
    case: Case = case_from({key: data[key] for key in data if key != IN_A_MODEL})
    call = {base.call.plain[0].name: case.inputs, **case.call}
    texts = any(given.dtype == "string" for given in inputs_of(call))
    return Sample(
        {name: _source(value) for name, value in case.args.items()},
        [_drawn(call[parameter.name]) for parameter in base.call.plain[: len(call)]],
        data.get(IN_A_MODEL, True) and not texts,
    )


def _source(value: Any) -> str:
    """Return a constructor argument as source; a string that begins with `keras.` already is."""
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
