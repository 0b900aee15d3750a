"""Masks: padding doesn't affect the outputs, and masks fit what they are passed on with."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from scaffold.conformance.finding import Finding
from scaffold.conformance.instruments.masking import (
    Output,
    difference,
    difference_of_length,
    first_steps,
    mask_arguments,
    outputs_of,
    padded,
    plain_outputs,
)
from scaffold.conformance.instruments.spying import Seen, files_of, spelled, spied, sublayers
from scaffold.conformance.lazy import keras
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.subject import Subject, arrays, differ


@register(needs=("compute-output-shape",))
def mask_fits_output(subject: Subject) -> Iterator[Finding]:
    """The mask of an output matches the output's leading axes.

    With `supports_masking = True`, Keras attaches the mask of the input to the output. If the
    output has fewer steps, or none, that mask doesn't fit. The next recurrent layer fails with a
    broadcasting error on TensorFlow and JAX, and uses the wrong steps on Torch.

    Fix: define `compute_mask` so that it returns the mask of the output, or `None`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class EverySecondStep(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def call(self, inputs):
                  return inputs[:, ::2]

        +     def compute_mask(self, inputs, mask=None):
        +         return None if mask is None else mask[:, ::2]
        +
              def compute_output_shape(self, input_shape):
                  batch, steps, channels = input_shape
                  return (batch, None if steps is None else (steps + 1) // 2, channels)
    """
    outputs = outputs_of(subject, subject.shared)
    if all(output.mask is None for output in outputs):
        outputs = plain_outputs(padded(subject))
    for output in outputs:
        if not output.fits:
            expected = f"a mask that matches the leading axes of the output, {output.array.shape}"
            where = subject.source.where("compute_mask", "call")
            yield Finding(expected, f"a mask of shape {output.mask.shape}", where)


@register(needs=("mask-fits-output",))
def mask_reaches_sublayers(subject: Subject) -> Iterator[Finding]:
    """A sub-layer that needs the mask of the steps gets it.

    Keras attaches a mask to the tensor that a layer returns. `ops.relu(x)` or `x * 2` gives a new
    tensor without it. A recurrent, pooling or attention layer called on that tensor silently treats
    padding as data.

    Fix: add `mask=None` to `call`, and pass it on: `self.lstm(x, mask=mask)`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Summary(keras.layers.Layer):
              def __init__(self, units=4, **kwargs):
                  super().__init__(**kwargs)
                  self.units = units
                  self.supports_masking = True

              def build(self, input_shape):
                  self.gru = keras.layers.GRU(self.units, dtype=self.dtype_policy)
                  self.gru.build(input_shape)

              def call(self, inputs, training=None, mask=None):
                  hidden = ops.tanh(inputs)
        -         return self.gru(hidden, training=training)
        +         return self.gru(hidden, training=training, mask=mask)

              def compute_mask(self, inputs, mask=None):
                  return None

              def compute_output_shape(self, input_shape):
                  return (input_shape[0], self.units)

              def get_config(self):
                  return {**super().get_config(), "units": self.units}
    """
    given = padded(subject)
    layer = given.shared
    takers = [inner for inner in sublayers(layer) if _takes_mask(inner)]
    if not takers:
        raise NotApplicable("it has no sub-layer that takes a mask")
    if not (changed := difference(given)):
        return
    with spied(takers, files_of(subject.cls)) as seen:
        given.call(layer, training=False)
    steps = first_steps(given)
    for call in seen:
        if call.spot is not None and _needs(call, steps):
            expected = (
                f"`{spelled(layer, call.layer)}` to get the mask of the {steps.shape[1]} steps"
            )
            got = f"none, and other values in the padding give {changed}"
            yield Finding(expected, got, call.spot.where)


def _takes_mask(layer: Any) -> bool:
    return bool(mask_arguments(inspect.signature(layer.call).parameters))


def _needs(call: Seen, steps: Any) -> bool:
    """Return whether a sub-layer that got no mask gives different outputs with one."""
    given = call.bound.arguments
    first = next(iter(given))
    masks = {}
    for name in mask_arguments(given):
        tensor = given[first if name == "mask" else name.removesuffix("_mask")]
        if given[name] is None and tuple(getattr(tensor, "shape", ())[:2]) == steps.shape:
            masks[name] = keras.ops.convert_to_tensor(steps)
    if not masks:
        return False
    try:
        other = call.again(**masks)
    except ValueError:  # such as from Softmax, which masks scores
        return False
    with_mask, without = (_first(value, steps) for value in (other, call.outputs))
    return bool(differ([with_mask], [without]))


def _first(outputs: Any, steps: Any) -> Any:
    """Return the values of the first output that padding must not change."""
    return Output(arrays(outputs)[0], None).counting(steps, is_first=True)


@register(needs=("mask-reaches-sublayers", "tensors-not-branched-on"), tag="padding-matters")
def padding_ignored(subject: Subject) -> Iterator[Finding]:
    """Values in padded steps don't affect the valid outputs.

    The sequences of a batch are padded to the same length, and the mask says which steps are real.
    If a layer takes the mask, or passes it on, but doesn't use it everywhere, the result for a
    sequence depends on the longest sequence in its batch.

    Fix: exclude masked steps from every sum, mean, maximum, convolution and softmax over the
    steps. If padding is data for the layer, give the layer the tag `padding-matters`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class MeanOverTime(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def call(self, inputs, mask=None):
                  if mask is None:
                      return ops.mean(inputs, axis=1)
                  weights = ops.cast(mask, inputs.dtype)[:, :, None]
        -         return ops.mean(inputs * weights, axis=1)
        +         return ops.sum(inputs * weights, axis=1) / ops.sum(weights, axis=1)

              def compute_mask(self, inputs, mask=None):
                  return None

              def compute_output_shape(self, input_shape):
                  return (input_shape[0], input_shape[2])
    """
    given = padded(subject)
    alone = len(given.all_inputs) == 1
    if not (mask_arguments(subject.call_parameters) or alone):
        raise NotApplicable("it takes no mask, and has more than one input")
    where = subject.source.where("call")
    if changed := difference(given):
        yield Finding("the same outputs whatever is in the padded steps", changed, where)
    elif alone and _loses_steps(given) and (changed := difference_of_length(given)):
        yield Finding("the same outputs without the padded steps", changed, where)


def _loses_steps(given: Subject) -> bool:
    """Return whether a layer reduces all steps to one output."""
    first = plain_outputs(given)[0]
    return bool(first.mask is None and first.array.shape[:2] != first_steps(given).shape)
