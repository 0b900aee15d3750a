"""Padding: inputs with a mask, values in their padded steps, and masks of outputs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from scaffold.cases import Input, inputs_of, map_inputs
from scaffold.conformance.instruments.draws import drawn
from scaffold.conformance.instruments.sizes import accepted
from scaffold.conformance.lazy import keras, np
from scaffold.conformance.registry import NotApplicable
from scaffold.conformance.subject import Data, Subject, arrays, differ, padding_mask


def mask_arguments(parameters: Mapping[str, Any]) -> list[str]:
    """Return those parameters of a `call` that Keras fills with masks."""
    return [name for name in parameters if name == "mask" or name.removesuffix("_mask") in
            set(parameters) - {name}]  # fmt: skip


@lru_cache(maxsize=1)
def padded(subject: Subject) -> Subject:
    """Return the same class with masked inputs, in the arguments whose masks it would get.

    Raises:
        NotApplicable: If the layer doesn't handle masks, or has no inputs with steps.
    """
    if any(described.mask for described in subject.all_inputs):
        return subject
    if not (mask_arguments(subject.call_parameters) or subject.shared.supports_masking):
        raise NotApplicable("it neither takes nor passes on a mask")
    if getattr(subject.shared, "data_format", None) == "channels_first":
        raise NotApplicable("its second axis is the channels, not the steps")
    first = next(iter(subject.call_parameters))
    given = {first: subject.case.inputs, **subject.case.call}
    marked = {name: _marked(subject, name, given) for name in given}
    if not any(described.mask for described in inputs_of(marked)):
        raise NotApplicable("it has no inputs with steps")
    return _that_takes_masks(subject.like(inputs=marked.pop(first), call=marked))


def _marked(subject: Subject, name: str, given: Mapping[str, Any]) -> Any:
    """Return an argument of `call`, its tensors with masks if the layer would get them."""
    parameters = subject.call_parameters
    alone = sum(bool(inputs_of(value)) for value in given.values()) == 1
    takes = f"{name}_mask" in parameters or (alone and "mask" in parameters)
    takes = takes and not _is_graph_without_masks(subject.shared)
    hands_on = subject.shared.supports_masking and name == next(iter(parameters))

    def mark(described: Input) -> Input:
        rank = len(described.shape)
        has_steps = (rank >= 3 and takes) or (rank == 3 and hands_on)
        return replace(described, mask=has_steps and described.dtype != "string")

    return map_inputs(mark, given[name])


def _is_graph_without_masks(layer: Any) -> bool:
    """Return whether it takes a mask only since every Keras graph does: none of its layers does."""
    if not isinstance(layer, keras.Model) or not type(layer).call.__module__.startswith("keras."):
        return False
    parts = (one for one in layer._flatten_layers() if not isinstance(one, keras.Model))
    return not any("mask" in inspect.signature(part.call).parameters for part in parts)


def _that_takes_masks(subject: Subject) -> Subject:
    try:
        subject.call(subject.shared)
    except ValueError as refused:  # such as from Softmax, which masks scores
        line = str(refused).strip().splitlines()[-1]
        raise NotApplicable(f"it rejects a mask of the steps: {line}") from None
    return subject


def refilled(subject: Subject, sign: int) -> Data:
    """Return the data of a padded subject with other, for floats larger, values in padded steps.

    Args:
        subject: The padded subject.
        sign: 1 or -1; what is small in a softmax with one is large with the other.
    """

    def merged(described: Any, one: Any, other: Any) -> Any:
        if not (isinstance(described, Input) and described.mask):
            return one
        if described.is_float and described.high is None:
            other = other * (3 * sign)
        mask = padding_mask(described.shape)
        return np.where(mask.reshape(mask.shape + (1,) * (one.ndim - 2)), one, other)

    merge = keras.tree.map_structure
    one, other = subject.data(), subject.data(seed=2 + sign)
    inputs = merge(merged, subject.case.inputs, one.inputs, other.inputs)
    return Data(inputs, merge(merged, dict(subject.case.call), one.call, other.call))


def masks_of(outputs: Any) -> list[Any]:
    """Return the masks of tensors as arrays, `None` for those without one."""

    class _Probe(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any, mask: Any = None) -> Any:
            found.append(None if mask is None else arrays(mask)[0])
            return keras.ops.shape(inputs)[0]

        def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
            return None

    found: list[Any] = []
    probe = _Probe(autocast=False)
    probe.supports_masking = True  # else Keras warns
    for tensor in keras.tree.flatten(outputs):
        if tensor is None:
            found.append(None)
        else:
            probe(tensor)
    return found


@dataclass(frozen=True)
class Output:
    """A tensor that a layer returned.

    Args:
        array: Its values.
        mask: Its mask, if it has one.
    """

    array: Any
    mask: Any

    @property
    def fits(self) -> bool:
        """Whether the mask matches the output's leading axes; a size of 1 matches any."""
        if self.mask is None:
            return True
        axes = self.array.shape[: self.mask.ndim]
        known = zip(self.mask.shape, axes, strict=False)
        return len(axes) == self.mask.ndim and all(size in (1, axis) for size, axis in known)

    def counting(self, steps: Any, is_first: bool) -> Any:
        """Return the values that padding must not change; all of them if the steps are gone.

        Args:
            steps: The mask of the first input.
            is_first: Whether it is the first output. The others may be of any kind.
        """
        if self.mask is not None:
            axes = self.array.shape[: self.mask.ndim]
            return self.array[np.broadcast_to(self.mask, axes).astype(bool)]
        if self.array.shape[:2] == steps.shape:
            return self.array[steps]
        return self.array if is_first else self.array[:0]


def outputs_of(subject: Subject, layer: Any, data: Data | None = None) -> list[Output]:
    """Return the outputs at inference with their masks."""
    outputs = subject.call(layer, data, training=False)
    flat = [leaf for leaf in keras.tree.flatten(outputs) if leaf is not None]
    return [Output(*pair) for pair in zip(arrays(flat), masks_of(flat), strict=True)]


def first_steps(subject: Subject) -> Any:
    """Return the mask of the first masked input of a padded subject."""
    return padding_mask(next(i.shape for i in subject.all_inputs if i.mask))


@lru_cache(maxsize=1)
def plain_outputs(subject: Subject) -> list[Output]:
    """Return the outputs of the shared layer for the case's data."""
    return outputs_of(subject, subject.shared)


@lru_cache(maxsize=1)
def difference(subject: Subject) -> str:
    """Return how other values in padded steps change the valid outputs; empty if they don't."""
    found = _compared(subject, refilled(subject, 1)) or _compared(subject, refilled(subject, -1))
    return "" if found and _is_random(subject) else found


def _is_random(subject: Subject) -> bool:
    with drawn(frozenset()) as draws:
        return bool(_compared(subject, subject.data()) or draws)


def _compared(subject: Subject, data: Data) -> str:
    """Return how the valid outputs for `data` differ from the plain ones."""
    steps = first_steps(subject)
    outputs = outputs_of(subject, subject.shared, data)
    for index, pair in enumerate(zip(plain_outputs(subject), outputs, strict=True)):
        one, other = (output.counting(steps, is_first=index == 0) for output in pair)
        if found := differ([one], [other]):
            return found
    return ""


def difference_of_length(subject: Subject) -> str:
    """Return how the first output changes without padding; empty if not, or if it can't be cut."""
    described, layer = subject.case.inputs, subject.shared
    if not isinstance(described, Input) or described.shape[0] < 2:
        return ""
    whole = subject.data()
    steps = int(padding_mask(described.shape)[1].sum())
    short = subject.like(inputs=replace(described, shape=(1, steps, *described.shape[2:])))
    if not accepted(layer, short):
        return ""
    cut = outputs_of(short, layer, Data(whole.inputs[1:2, :steps], whole.call))
    found = differ([plain_outputs(subject)[0].array[1:2]], [cut[0].array])
    return "" if found and _is_random(subject) else found
