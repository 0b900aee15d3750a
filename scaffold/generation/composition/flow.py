"""What flows through a composed model: the rank, the kind of data, and the mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scaffold.cases import case_from
from scaffold.errors import UsageError
from scaffold.generation.composition.resolve import Composition, Layer, Way
from scaffold.generation.template import Template

# The option of a composing template that selects the training data.
DATA = "data"


@dataclass(frozen=True)
class _Flow:
    """What arrives at a layer.

    Args:
        axes: The number of axes, batch included.
        integers: Whether it contains integers.
        mask: The layer that made its mask; empty for none.
        passed: The number of layers that it went through.
    """

    axes: int
    integers: bool
    mask: str = ""
    passed: int = 0


class _StoppedError(Exception):
    """A layer can't take its input."""

    def __init__(self, error: UsageError, passed: int) -> None:
        super().__init__(str(error))
        self.error = error
        self.passed = passed


def data_for(template: Template, composition: Composition, wanted: str) -> str:
    """Return the data that a composed model can learn from: the wanted one, if any is.

    Raises:
        UsageError: If a layer can't take its input.
    """
    stopped: list[_StoppedError] = []
    fitting: dict[str, int] = {}
    for data in [wanted] if wanted else map(str, template.option(DATA).values):
        (case,) = template.cases_for(template.options_with({DATA: data}))
        inputs = case_from(case).inputs
        try:
            end = _through(composition.stages, _Flow(len(inputs.shape), not inputs.is_float))
            fitting[data] = end.axes
        except _StoppedError as error:
            stopped.append(error)
    if not fitting:
        raise max(stopped, key=lambda one: one.passed).error
    # If possible, the model outputs logits, one row per sample.
    return min(fitting, key=lambda data: fitting[data] != 2)


def _through(stages: Sequence[Layer | Way], flow: _Flow) -> _Flow:
    for stage in stages:
        if isinstance(stage, Layer):
            flow = _through_layer(stage, flow)
            continue
        branches = [_through(branch, flow) for branch in stage.branches]
        if stage.kind == "residual":
            branches.append(flow)
        axes = {branch.axes for branch in branches}
        if len(axes) > 1:
            ranks = " and ".join(map(str, sorted(axes)))
            raise _stopped(
                f"`{stage.class_name}` merges tensors of ranks {ranks}",
                "Give all branches the same rank, with `Flatten` or `Reshape`, for example.",
                flow,
            )
        passed = max(branch.passed for branch in branches)
        flow = replace(branches[0], passed=passed, mask=branches[0].mask)
    return flow


def _through_layer(layer: Layer, flow: _Flow) -> _Flow:
    name, facts = layer.class_name, layer.facts
    if facts.data == "text":
        raise _stopped(
            f"`{name}` takes text or keys, but there is no such data",
            "Move it to your data preprocessing.",
            flow,
        )
    if facts.data == "integers" and not flow.integers:
        raise _stopped(f"`{name}` takes integers", "Put it first in the model.", flow)
    if facts.takes not in (None, flow.axes):
        raise _stopped(
            f"`{name}` takes inputs of rank {facts.takes}, but gets rank {flow.axes}",
            "Put a layer before it that changes the rank, such as `Flatten` or `Reshape`.",
            flow,
        )
    if flow.mask and facts.mask == "refuses":
        raise _stopped(
            f"`{name}` can't use the mask that `{flow.mask}` makes",
            f"Turn off `{flow.mask}`'s mask, or put `{flow.mask}` after `{name}`.",
            flow,
        )
    kept = "" if facts.mask == "ends" else flow.mask
    return _Flow(
        axes=facts.axes_behind(flow.axes),
        integers=False,
        mask=name if facts.mask == "makes" else kept,
        passed=flow.passed + 1,
    )


def _stopped(message: str, fix: str, flow: _Flow) -> _StoppedError:
    return _StoppedError(UsageError(message, fix=fix), flow.passed)
