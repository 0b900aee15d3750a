"""Losses and gradients: what a layer adds to the loss, and what the loss moves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from scaffold.cases import inputs_of
from scaffold.conformance.finding import Finding, Where
from scaffold.conformance.instruments.gradients import gradients
from scaffold.conformance.instruments.walk import layers_of, listed
from scaffold.conformance.instruments.wiring import arguments_named, is_off, made_and_called
from scaffold.conformance.lazy import keras, np
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.subject import Subject, arrays

_DRAWS = 6
_WITHOUT_GRADIENT = (
    *("round", "floor", "ceil", "sign", "argmax", "argmin", "one_hot", "stop_gradient"),
    *("convert_to_numpy", "greater", "less", "detach", "numpy"),
)


@register(needs=("runs", "sublayers-tracked"))
def regularizers_wired(subject: Subject) -> Iterator[Finding]:
    """Each regularizer that the constructor takes adds a loss.

    A `kernel_regularizer` that is stored, and saved, but not handed to `add_weight` or to the
    sub-layer that has the weight, does nothing. Keras also leaves out the regularizer of a weight
    that isn't trainable. The loss looks fine; the weights grow.

    Fix: pass it to `add_weight(regularizer=...)`, or to the sub-layer.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Linear(keras.layers.Layer):
              def __init__(self, units=4, kernel_regularizer=None, **kwargs):
                  super().__init__(**kwargs)
                  self.units = units
                  self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
                  self.supports_masking = True

              def build(self, input_shape):
                  self.kernel = self.add_weight(
                      name="kernel",
                      shape=(input_shape[-1], self.units),
        +             regularizer=self.kernel_regularizer,
                  )

              def call(self, inputs):
                  return ops.matmul(inputs, self.kernel)

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], self.units)

              def get_config(self):
                  return {
                      **super().get_config(),
                      "units": self.units,
                      "kernel_regularizer": keras.regularizers.serialize(
                          self.kernel_regularizer
                      ),
                  }
    """
    names = arguments_named(subject, "regularizer", keras.regularizers.Regularizer)
    given = {name: keras.regularizers.L2(0.5 + place / 8) for place, name in enumerate(names)}
    layer = made_and_called(subject, **given)
    held = {getattr(one, "l2", None) for one in _regularizers(layer)}
    for name in names:
        if given[name].l2 in held or is_off(subject, layer, name):
            continue
        more = made_and_called(subject, **{**given, name: keras.regularizers.L2(2.5)})
        loss = _penalty(subject, layer)
        if loss == _penalty(subject, more):
            expected = f"a larger `{name}` to add a larger loss"
            yield Finding(expected, f"a sum of {loss:g} in both", subject.source.where_set(name))


def _regularizers(layer: Any) -> list[Any]:
    """The regularizers of all weights to train and of all outputs."""
    found = [getattr(variable, "regularizer", None) for variable in layer.trainable_weights]
    return found + [one.activity_regularizer for one in layers_of(layer)]


def _penalty(subject: Subject, layer: Any) -> float:
    """The sum of its losses once all weights to train have the value that gives one."""
    for variable in layer.trainable_weights:
        variable.assign(np.full(variable.shape, 0.5))
    subject.call(layer, training=False)
    return float(sum(loss.sum() for loss in arrays(layer.losses)))


@register()
def added_losses(subject: Subject) -> Iterator[Finding]:
    """What a layer adds to the loss is scalars, the same in each call and on each backend.

    Keras sums a loss that isn't a scalar without a word, so its weight grows with the batch. A
    loss added in `build` is gone before the first step. One that is put into a list of the layer,
    or into Keras's own, piles up or is never seen on JAX.

    Fix: `self.add_loss(...)` in `call`, with a mean over the batch and all other axes.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Sparse(keras.layers.Layer):
              def __init__(self, rate=0.01, **kwargs):
                  super().__init__(**kwargs)
                  self.rate = rate
                  self.supports_masking = True

              def call(self, inputs):
        -         self.add_loss(self.rate * ops.mean(ops.abs(inputs), axis=-1))
        +         self.add_loss(self.rate * ops.mean(ops.abs(inputs)))
                  return inputs

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "rate": self.rate}
    """
    if early := _added_early(subject):
        yield Finding("losses to be added in `call`", "one that the first call clears", early)
        return
    layer = subject.build()
    counts = [len(layer.losses)]
    for _ in range(2):
        subject.call(layer)
        counts.append(len(layer.losses))
    if not any(counts):
        raise NotApplicable("it adds no loss")
    where = _where_called(subject, "add_loss", "_losses")
    shapes = [tuple(loss.shape) for loss in layer.losses if tuple(loss.shape)]
    if shapes:
        yield Finding("each loss to be a scalar", f"one of shape {shapes[0]}", where)
    if counts[0] != counts[2]:
        got = f"{', '.join(map(str, counts[:2]))} and {counts[2]} in three calls"
        yield Finding("as many losses after each call", got, where)
        return
    state = [(variable, variable.value) for variable in layer.variables]
    with keras.StatelessScope(state, collect_losses=True):
        subject.call(layer)
        count = len(layer.losses)
    if count != counts[2]:
        got = f"{count}, so JAX trains without {counts[2] - count}"
        yield Finding(f"{counts[2]} losses in a call without state", got, where)


def _added_early(subject: Subject) -> Where | None:
    """The line that adds a loss before there is a call."""
    for method in ("__init__", "build"):
        for node in ast.walk(subject.source.method(method) or ast.Module([], [])):
            if isinstance(node, ast.Attribute) and node.attr == "add_loss":
                return subject.source.at(node)
    return None


def _where_called(subject: Subject, *names: str) -> Where | None:
    """The first line that names one of these attributes, else `call`."""
    for node in ast.walk(subject.source.tree) if subject.source.tree else ():
        if isinstance(node, ast.Attribute) and node.attr in names:
            return subject.source.at(node)
    return subject.source.where("call")


@register(
    needs=(
        "portable-ops",
        "tensors-not-branched-on",
        "inputs-not-changed",
    ),
    tag="not-differentiable",
)
def gradient_reaches_weights(subject: Subject) -> Iterator[Finding]:
    """The outputs and the added losses have a gradient by every trainable weight.

    A weight that the output ignores, or that it reaches only through `round`, `sign`, `argmax`, a
    cast to integers or NumPy, never moves. TensorFlow and Torch warn where there is no gradient
    at all and say nothing where it is zero; JAX never says anything.

    Fix: use the weight, or pass the gradient through by hand:
    `x + stop_gradient(round(x) - x)`. A weight that isn't for training is `trainable=False`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Quantized(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def build(self, input_shape):
                  self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], 4))

              def call(self, inputs):
                  kernel = ops.convert_to_tensor(self.kernel)
        -         kernel = ops.round(kernel * 8) / 8
        +         rounded = ops.round(kernel * 8) / 8
        +         kernel = kernel + ops.stop_gradient(rounded - kernel)
                  return ops.matmul(inputs, kernel)

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], 4)
    """
    if subject.is_model and subject.cls.train_step is not keras.Model.train_step:
        raise NotApplicable("it has a `train_step` of its own")
    layer = subject.build()
    still = _unmoved(subject, layer)
    if still and not _has_modes(subject):
        where = _where_called(subject, *_WITHOUT_GRADIENT)
        named = listed(layer, [variable for variable, _ in still])
        got = "none" if all(nothing for _, nothing in still) else "zeros"
        yield Finding(f"a gradient by {named}", f"{got} in {_DRAWS} draws of inputs", where)


def _has_modes(subject: Subject) -> bool:
    """Whether the case calls it with plain values, which may choose the weights to use."""
    return any(not inputs_of(value) for value in subject.case.call.values())


def _unmoved(subject: Subject, layer: Any) -> list[tuple[Any, bool]]:
    """The weights without a gradient, each with whether there is not even a path to it."""
    still = [(variable, True) for variable in layer.trainable_weights]
    if not still:
        raise NotApplicable("it has no weights to train")
    random = np.random.default_rng(0)
    for variable, _ in still:  # away from zeros, behind which nothing is seen
        variable.assign_add(0.2 * random.normal(size=variable.shape).astype("float32"))
    for draw in range(_DRAWS):
        loss = _Loss(subject, layer, draw)
        found = gradients(loss, [one for one, _ in still], layer.non_trainable_variables)
        still = [
            (variable, nothing and gradient is None)
            for (variable, nothing), gradient in zip(still, found, strict=True)
            if gradient is None or not gradient.any()
        ]
        if not still:
            break
    return still


class _Loss:
    """The outputs in training, each value with a random weight, and the added losses: a scalar."""

    def __init__(self, subject: Subject, layer: Any, draw: int) -> None:
        self._subject = subject
        self._layer = layer
        self._draw = draw

    def __call__(self) -> Any:
        random = np.random.default_rng(100 + self._draw)
        data = self._subject.data(seed=self._draw)
        outputs = self._subject.call(self._layer, data, training=True)
        terms = [
            keras.ops.sum(keras.ops.cast(leaf, "float32") * _weights_for(leaf, random))
            for leaf in keras.tree.flatten(outputs)
            if leaf is not None and "float" in keras.backend.standardize_dtype(leaf.dtype)
        ]
        terms += [keras.ops.sum(keras.ops.cast(loss, "float32")) for loss in self._layer.losses]
        if not terms:
            raise NotApplicable("no output is of floats")
        return sum(terms[1:], start=terms[0])


def _weights_for(leaf: Any, random: Any) -> Any:
    return keras.ops.convert_to_tensor(random.normal(size=tuple(leaf.shape)), dtype="float32")
