"""Losses and gradients: what a layer adds to the loss, and which weights the loss moves."""

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
    """Each regularizer argument of the constructor adds a loss.

    A `kernel_regularizer` that is stored and saved, but not passed to `add_weight` or to the
    sub-layer that owns the weight, has no effect. Keras also ignores the regularizer of a
    non-trainable weight. The loss looks fine; the weights grow.

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
    given = {name: keras.regularizers.L2(0.5 + index / 8) for index, name in enumerate(names)}
    layer = made_and_called(subject, **given)
    held = {getattr(one, "l2", None) for one in _regularizers(layer)}
    for name in names:
        if given[name].l2 in held or is_off(subject, layer, name):
            continue
        more = made_and_called(subject, **{**given, name: keras.regularizers.L2(2.5)})
        loss = _penalty(subject, layer)
        if loss == _penalty(subject, more):
            expected = f"a larger `{name}` to add a larger loss"
            yield Finding(expected, f"{loss:g} in both cases", subject.source.where_set(name))


def _regularizers(layer: Any) -> list[Any]:
    """Return the regularizers of all trainable weights and all outputs."""
    found = [getattr(variable, "regularizer", None) for variable in layer.trainable_weights]
    return found + [one.activity_regularizer for one in layers_of(layer)]


def _penalty(subject: Subject, layer: Any) -> float:
    """Return the sum of its losses with all trainable weights set to 0.5."""
    for variable in layer.trainable_weights:
        variable.assign(np.full(variable.shape, 0.5))
    subject.call(layer, training=False)
    return float(sum(loss.sum() for loss in arrays(layer.losses)))


@register()
def added_losses(subject: Subject) -> Iterator[Finding]:
    """A layer adds the same number of scalar losses in each call and on each backend.

    Keras silently sums a loss that isn't a scalar, so its weight grows with the batch. A loss added
    in `build` is gone before the first step. One that is appended to a list of the layer, or to
    Keras's own, accumulates, or is never seen on JAX.

    Fix: use `self.add_loss(...)` in `call`, with the mean over the batch and all other axes.

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
        yield Finding("the same number of losses after each call", got, where)
        return
    state = [(variable, variable.value) for variable in layer.variables]
    with keras.StatelessScope(state, collect_losses=True):
        subject.call(layer)
        count = len(layer.losses)
    if count != counts[2]:
        got = f"{count}, so training on JAX misses {counts[2] - count}"
        yield Finding(f"{counts[2]} losses in a stateless call", got, where)


def _added_early(subject: Subject) -> Where | None:
    """Return the line that adds a loss before the first call."""
    for method in ("__init__", "build"):
        for node in ast.walk(subject.source.method(method) or ast.Module([], [])):
            if isinstance(node, ast.Attribute) and node.attr == "add_loss":
                return subject.source.at(node)
    return None


def _where_called(subject: Subject, *names: str) -> Where | None:
    """Return the first line that names one of these attributes, else `call`."""
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
    """Every trainable weight has a gradient from the outputs or the added losses.

    A weight that the output ignores, or uses only through `round`, `sign`, `argmax`, a cast to
    integers or NumPy, is never trained. TensorFlow and Torch warn if there is no gradient at all,
    but not if it is zero; JAX never warns.

    Fix: use the weight, or pass the gradient straight through:
    `x + stop_gradient(round(x) - x)`. Create a weight that is not to be trained with
    `trainable=False`.

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
        raise NotApplicable("it has its own `train_step`")
    layer = subject.build()
    still = _unmoved(subject, layer)
    if still and not _has_modes(subject):
        where = _where_called(subject, *_WITHOUT_GRADIENT)
        named = listed(layer, [variable for variable, _ in still])
        got = "none" if all(nothing for _, nothing in still) else "zeros"
        yield Finding(f"a gradient for {named}", f"{got} in {_DRAWS} draws of inputs", where)


def _has_modes(subject: Subject) -> bool:
    """Return whether the case passes plain values to `call`, which may choose the weights used."""
    return any(not inputs_of(value) for value in subject.case.call.values())


def _unmoved(subject: Subject, layer: Any) -> list[tuple[Any, bool]]:
    """Return the weights without a gradient, each with whether there is no path to it at all."""
    still = [(variable, True) for variable in layer.trainable_weights]
    if not still:
        raise NotApplicable("it has no trainable weights")
    random = np.random.default_rng(0)
    for variable, _ in still:  # away from zeros, which block gradients
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
    """A scalar: the sum of the outputs in training, randomly weighted, and the added losses."""

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
            raise NotApplicable("no output is a float tensor")
        return sum(terms[1:], start=terms[0])


def _weights_for(leaf: Any, random: Any) -> Any:
    return keras.ops.convert_to_tensor(random.normal(size=tuple(leaf.shape)), dtype="float32")
