"""Hosts: inside Keras's models and wrappers, a layer gives the same outputs as alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scaffold.cases import Input
from scaffold.conformance.finding import Finding
from scaffold.conformance.instruments.state import changed, copy_values, randomise, refuse_texts
from scaffold.conformance.lazy import keras, np
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.subject import Data, Subject, arrays


@register(
    needs=(
        "build-makes-all-weights",
        "unknown-batch",
        "any-batch-size",
    )
)
def inside_functional(subject: Subject) -> Iterator[Finding]:
    """A layer used twice in a Functional model gives the same outputs as alone.

    Keras calls a layer once on symbolic inputs, to build the graph, and again on data. What a class
    does in its own `__call__` becomes part of the graph in the first call and is done again in the
    second: an image is divided by 255 twice, in Functional models only.

    Fix: do everything in `call`, leave `__call__` to Keras, and store nothing from a call on
    `self`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class FromPixels(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True
        -
        -     def __call__(self, inputs, *args, **kwargs):
        -         return super().__call__(inputs / 255.0, *args, **kwargs)

              def call(self, inputs):
        -         return 1.0 - inputs
        +         return 1.0 - inputs / 255.0

              def compute_output_shape(self, input_shape):
                  return input_shape
    """
    refuse_texts(subject)
    layer = subject.make()
    symbols = [subject.symbolic(), subject.symbolic()]
    outputs = [subject.call_symbolic(layer, pair) for pair in symbols]
    model = keras.Model([pair.tensors() for pair in symbols], outputs)
    randomise(layer)
    first, second = subject.data(), subject.data(seed=1)
    one, other = (_alone(subject, layer, data) for data in (first, second))
    given = [subject.tensors(data).tensors() for data in (first, second)]
    results = model(given, training=False)
    where = subject.source.where("call")
    pairs = zip((one, other), (first, second), results, ("first", "second"), strict=True)
    for alone, data, result, ordinal in pairs:
        expected = subject.outputs(alone, data)
        if difference := changed(subject, alone, expected, arrays(result), data):
            what = f"the outputs of the layer alone in the {ordinal} of two calls"
            yield Finding(what, difference, where)


def _alone(subject: Subject, layer: Any, data: Data) -> Any:
    """Return another layer with the same weights, called on `data` only."""
    alone = subject.make()
    subject.call(alone, data)
    copy_values(layer, alone)
    return alone


@register(needs=("inside-functional",))
def inside_sequential(subject: Subject) -> Iterator[Finding]:
    """A layer works between two others in a `Sequential` model.

    `Sequential` passes the output of each layer to the next unchanged. A list or tuple around a
    single tensor fails there, in the layer after the one at fault.

    Fix: if there is one output, return the tensor itself.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Double(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def call(self, inputs):
        -         return [inputs * 2]
        +         return inputs * 2

              def compute_output_shape(self, input_shape):
        -         return [input_shape]
        +         return input_shape
    """
    described = _single(subject)
    layer = subject.build()
    randomise(layer)
    alone = subject.call(layer, training=False)
    leaves = keras.tree.flatten(alone)
    if len(leaves) != 1:
        raise NotApplicable(f"the layer has {len(leaves)} outputs")
    if leaves[0] is not alone:
        got = f"a {type(alone).__name__} of one tensor"
        yield Finding("a tensor, for the next layer", got, subject.source.where("call"))
        return
    after = keras.layers.Identity(dtype=keras.backend.standardize_dtype(alone.dtype))
    start = keras.Input(batch_shape=(None, *described.shape[1:]), dtype=described.dtype)
    model = keras.Sequential([start, layer, after])
    if not model.built:
        where = subject.source.where("compute_output_shape", "call")
        what = f"a model built for inputs of shape {described.shape}"
        yield Finding(what, "an unbuilt one", where)
    (inputs,) = subject.tensors(subject.data()).tensors()
    results = arrays(model(inputs, training=False))
    if difference := changed(subject, layer, arrays(alone), results):
        where = subject.source.where("call")
        yield Finding("the outputs of the layer alone", difference, where)


def _single(subject: Subject) -> Input:
    """Return the only input that the layer takes."""
    inputs = subject.case.inputs
    if len(subject.all_inputs) != 1 or not isinstance(inputs, Input) or subject.case.call:
        raise NotApplicable("the layer takes more than one tensor")
    if inputs.dtype == "string":
        raise NotApplicable("the layer takes strings")
    return inputs


@register(needs=("inside-functional",))
def inside_time_distributed(subject: Subject) -> Iterator[Finding]:
    """`TimeDistributed` gives the same outputs for each step as the layer alone.

    The wrapper, used on the frames of a video or the sentences of a document, gets the shape of one
    step from `compute_output_shape`. A class without that method fails there, far from its source.

    Fix: define `compute_output_shape`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class LastChannels(keras.layers.Layer):
              def call(self, inputs):
                  return inputs[..., -2:]
        +
        +     def compute_output_shape(self, input_shape):
        +         return (*input_shape[:-1], 2)
    """
    described = _single(subject)
    if described.mask or not described.is_float:
        raise NotApplicable("applies only to one float tensor without a mask")
    layer = subject.build()
    randomise(layer)
    steps = [subject.data(seed=seed) for seed in range(3)]
    alone = [subject.call(layer, step, training=False) for step in steps]
    if not _is_batched(alone[0], described):
        raise NotApplicable("the layer doesn't return one tensor with a batch axis")
    expected = np.stack([arrays(result)[0] for result in alone], axis=1)
    sequence = np.stack([step.inputs for step in steps], axis=1)
    if type(layer).compute_output_shape is keras.layers.Layer.compute_output_shape:
        what = "`compute_output_shape`, which `TimeDistributed` needs in a Functional model"
        yield Finding(what, "a class without it", subject.source.where("call"))
    wrapper = keras.layers.TimeDistributed(layer, dtype=layer.dtype_policy)
    results = arrays(wrapper(keras.ops.convert_to_tensor(sequence), training=False))
    if difference := changed(subject, layer, [expected[:, 0]], [results[0][:, 0]], steps[0]):
        yield Finding("the outputs of the layer alone", difference, subject.source.where("call"))


def _is_batched(outputs: Any, described: Input) -> bool:
    shape: tuple[int, ...] = tuple(getattr(outputs, "shape", ()))
    return shape[:1] == described.shape[:1]


@register(
    needs=(
        "config-round-trip",
        "inside-functional",
    )
)
def inside_bidirectional(subject: Subject) -> Iterator[Finding]:
    """A recurrent layer with `go_backwards=True` reads its input backwards.

    `Bidirectional` creates its second layer from the config of the first with `go_backwards=True`.
    If the class takes the argument but ignores it, both layers read forwards, and one half of the
    output repeats the other.

    Fix: if `go_backwards` is true, flip the time axis of the input.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Running(keras.layers.Layer):
              def __init__(self, return_sequences=True, go_backwards=False, **kwargs):
                  super().__init__(**kwargs)
                  self.return_sequences = return_sequences
                  self.go_backwards = go_backwards
                  self.return_state = False
                  self.stateful = False
                  self.supports_masking = True

              def call(self, sequences, initial_state=None):
        +         if self.go_backwards:
        +             sequences = ops.flip(sequences, axis=1)
                  sums = ops.cumsum(sequences, axis=1)
                  return sums if self.return_sequences else sums[:, -1]

              def compute_mask(self, sequences, previous_mask=None):
                  return previous_mask if self.return_sequences else None

              def compute_output_shape(self, input_shape):
                  batch, _, features = input_shape
                  return input_shape if self.return_sequences else (batch, features)

              def get_config(self):
                  return {
                      **super().get_config(),
                      "return_sequences": self.return_sequences,
                      "go_backwards": self.go_backwards,
                  }
    """
    described = _single(subject)
    layer = subject.build()
    if not {"go_backwards", "return_sequences"} <= set(layer.get_config()):
        raise NotApplicable("the layer is not recurrent")
    if layer.go_backwards or described.mask:
        raise NotApplicable("applies only to a layer that reads forwards, without a mask")
    randomise(layer)
    wrapper = keras.layers.Bidirectional(layer, merge_mode=None, dtype=layer.dtype_policy)
    data = subject.data()
    (inputs,) = subject.tensors(data).tensors()
    wrapper(inputs, training=False)
    backward = wrapper.backward_layer
    copy_values(layer, backward)
    flipped = data.map(lambda array: np.ascontiguousarray(array[:, ::-1]))
    expected = subject.outputs(layer, flipped)
    results = subject.outputs(backward, data)
    if difference := changed(subject, layer, expected, results, flipped):
        what = "with `go_backwards=True`, the outputs for the reversed input"
        yield Finding(what, difference, subject.source.where("call", "__init__"))
