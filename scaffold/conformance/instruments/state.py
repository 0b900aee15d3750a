"""The weights of a layer: set to values that show if they are lost, copied, compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scaffold.conformance.instruments.walk import layers_of
from scaffold.conformance.lazy import keras, np
from scaffold.conformance.registry import NotApplicable
from scaffold.conformance.subject import Data, Subject, arrays, differ

# What is kept or dropped for each sample of a small batch is often the same twice.
_REPEATS = 8


def randomise(layer: Any) -> None:
    """Give each float weight distinct positive values: lost zeros and ones would go unnoticed."""
    random = np.random.default_rng(7)
    for variable in _free(layer):
        if "float" in variable.dtype:
            variable.assign(random.uniform(0.05, 0.5, tuple(variable.shape)))


def _free(layer: Any) -> Iterator[Any]:
    """Yield the weights that may have any value.

    What a layer computes when it loads, such as the statistics of a Normalization, may not.
    """
    for owner in layers_of(layer):
        yield from owner._trainable_variables
        if type(owner).load_own_variables is keras.layers.Layer.load_own_variables:
            yield from owner._non_trainable_variables


def refuse_texts(subject: Subject) -> None:
    """Ensure that all inputs are tensors.

    Raises:
        NotApplicable: If some are strings, of which only TensorFlow has tensors.
    """
    if subject.backend != "tensorflow" and any(i.dtype == "string" for i in subject.all_inputs):
        raise NotApplicable("only TensorFlow has string tensors")


def values(layer: Any) -> list[Any]:
    """Return the weights as arrays."""
    return arrays([weight.value for weight in layer.weights])


def copy_values(source: Any, target: Any) -> None:
    """Copy the weights of one layer to another of the same class."""
    for old, new in zip(source.weights, target.weights, strict=True):
        new.assign(old.value)


def kept(before: list[Any], after: list[Any]) -> int:
    """Return the number of arrays of `before` that are in `after`, in any order."""
    left = list(after)
    found = 0
    for array in before:
        for i, other in enumerate(left):
            if not differ([array], [other], 1e-6):
                del left[i]
                found += 1
                break
    return found


def shared_state(first: Any, second: Any) -> list[str]:
    """Return the names of the variables and sub-layers that two layers share."""
    own = {id(variable) for variable in first.variables}
    found = [f"`{variable.path}`" for variable in second.variables if id(variable) in own]
    parts = {id(part) for part in layers_of(first)}
    return found + [f"`{part.name}`" for part in layers_of(second) if id(part) in parts]


def changed(
    subject: Subject, layer: Any, before: list[Any], after: list[Any], data: Data | None = None
) -> str:
    """Return how outputs differ from those of `layer`, as a phrase; empty if its own vary, too."""
    difference = differ(before, after)
    if not difference:
        return ""
    repeats = (subject.outputs(layer, data) for _ in range(_REPEATS))
    return "" if any(differ(before, outputs) for outputs in repeats) else difference
