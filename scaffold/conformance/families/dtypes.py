"""Dtypes: the policy reaches everything that computes, and 16-bit floats stay finite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from scaffold.conformance.finding import Finding
from scaffold.conformance.instruments.precision import (
    MIXED,
    PURE,
    available,
    is_float,
    made,
    narrowed,
    strays,
)
from scaffold.conformance.lazy import keras, np
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.runner import raised
from scaffold.conformance.subject import Data, Subject, arrays
from scaffold.conformance.unsupported import is_unsupported


@register(
    needs=(
        "kwargs-forwarded",
        "sublayers-tracked",
        "portable-ops",
        "compute-output-shape",
    ),
    tag="keeps-dtype",
)
def dtype_policy(subject: Subject) -> Iterator[Finding]:
    """Outputs, weights and sub-layers follow the layer's `dtype`.

    Under `mixed_float16`, a model computes in float16 up to a layer that casts to float32, creates
    a float32 constant or has sub-layers without a dtype. On JAX and Torch, everything after it is
    silently float32, too: slower, and twice the memory. On TensorFlow it fails.

    Fix: pass `dtype=self.dtype_policy` to each sub-layer, create constants in
    `self.compute_dtype`, and leave the dtype of weights to `add_weight`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Gate(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True
        -         self.score = keras.layers.Dense(1)
        +         self.score = keras.layers.Dense(1, dtype=self.dtype_policy)

              def build(self, input_shape):
                  if not self.score.built:
                      self.score.build(input_shape)

              def call(self, inputs):
                  return inputs * ops.sigmoid(self.score(inputs))

              def compute_output_shape(self, input_shape):
                  return input_shape
    """
    if not keras.backend.is_float_dtype(subject.shared.compute_dtype):
        raise NotApplicable(f"it computes in {subject.shared.compute_dtype}")
    found = list(_children(subject)) or list(_under(subject, "float32"))
    for policy in () if found else (*MIXED, *PURE):
        if available(policy):
            found = list(_under(subject, policy))
        if found:
            break
    yield from found


def _children(subject: Subject) -> Iterator[Finding]:
    for name, child in strays(subject):
        where = subject.source.where_set(name)
        label = f"`{name}`, a {type(child).__name__}," if name else f"a {type(child).__name__}"
        got = "the global policy"
        yield Finding(f"{label} to have the layer's dtype policy", got, where)


def _under(subject: Subject, policy: str) -> Iterator[Finding]:
    """Yield what is wrong with the layer under one policy."""
    try:
        layer = made(subject, policy)
        outputs = subject.call(layer)
    except Exception as error:  # as in the runner, but with the policy's name
        if not is_unsupported(error):
            finding = raised(error, subject)
            yield replace(finding, expected=f"no error with dtype={policy!r}")
        return
    wrong = [*_weights(subject, layer, policy), *_outputs(subject, layer, outputs, policy)]
    yield from wrong
    if policy == "mixed_bfloat16":
        yield from _held(subject, layer)
        yield from () if wrong else _symbolic(subject, layer, outputs)


def _weights(subject: Subject, layer: Any, policy: str) -> Iterator[Finding]:
    own = {id(weight) for child in layer._flatten_layers(False) for weight in child.weights}
    for weight in layer.weights:
        if id(weight) not in own and is_float(weight) and weight.dtype != layer.variable_dtype:
            where = subject.source.where("build", "__init__")
            wanted = f"{layer.variable_dtype} weights with dtype={policy!r}"
            yield Finding(wanted, f"{weight.dtype} in `{weight.name}`", where)


def _outputs(subject: Subject, layer: Any, outputs: Any, policy: str) -> Iterator[Finding]:
    usual = keras.tree.flatten(subject.call(subject.shared))
    for one, output in zip(usual, keras.tree.flatten(outputs), strict=True):
        if output is None or not is_float(one):
            continue
        got = keras.backend.standardize_dtype(output.dtype)
        if got != layer.compute_dtype:
            where = subject.source.where("call")
            yield Finding(f"{layer.compute_dtype} outputs with dtype={policy!r}", got, where)


def _held(subject: Subject, layer: Any) -> Iterator[Finding]:
    for name, child in narrowed(subject, layer):
        wanted = f"{layer.variable_dtype} weights in `{name or child.name}`"
        got = f"{child.variable_dtype} with dtype={layer.dtype_policy.name!r}"
        yield Finding(wanted, got, subject.source.where_set(name))


def _symbolic(subject: Subject, layer: Any, outputs: Any) -> Iterator[Finding]:
    if subject.backend == "torch" and not _declares_outputs(subject.cls):
        return  # Keras traces `call` with variables that are not cast
    symbols = keras.tree.flatten(subject.call_symbolic(layer, subject.symbolic()))
    for symbol, output in zip(symbols, keras.tree.flatten(outputs), strict=True):
        if output is None or not is_float(output):
            continue
        wanted = keras.backend.standardize_dtype(output.dtype)
        if symbol.dtype != wanted:
            where = subject.source.where("compute_output_spec", "call")
            expected = f"{wanted} from a symbolic call with dtype={layer.dtype_policy.name!r}"
            yield Finding(expected, symbol.dtype, where)


def _declares_outputs(cls: Any) -> bool:
    methods = ("compute_output_shape", "compute_output_spec")
    return any(getattr(cls, name) is not getattr(keras.layers.Layer, name) for name in methods)


@register(needs=("dtype-policy",))
def finite_in_low_precision(subject: Subject) -> Iterator[Finding]:
    """Outputs that are finite in float32 are finite in float16 and bfloat16, too.

    float16 ends at 65504 and has no values between 0 and 6e-8. There, `-1e9` is minus infinity,
    and a fully masked row of scores becomes NaN; `+ 1e-8` is `+ 0`, and a sample of zeros is
    divided by zero. One such sample makes all weights NaN.

    Fix: compute the sensitive part in float32 and cast the result; use
    `keras.config.epsilon()`, and -30000 instead of `-1e9`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Standardize(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def call(self, inputs):
                  centred = inputs - ops.mean(inputs, axis=-1, keepdims=True)
                  deviation = ops.std(inputs, axis=-1, keepdims=True)
        -         return centred / (deviation + 1e-8)
        +         return centred / (deviation + 1e-3)

              def compute_output_shape(self, input_shape):
                  return input_shape
    """
    if not keras.backend.is_float_dtype(subject.shared.compute_dtype):
        raise NotApplicable(f"it computes in {subject.shared.compute_dtype}")
    usual = subject.shared.get_weights()
    for policy in ("float16", "bfloat16"):
        layer = _built(subject, policy)
        if layer is None:
            continue
        if [weight.shape for weight in usual] == [tuple(w.shape) for w in layer.weights]:
            layer.set_weights(usual)
        for what, data in _plain_data(subject):
            if not _finite(subject, layer, data):
                where = subject.source.where("call")
                got = f"NaN or infinity in {policy} for {what}"
                yield Finding("finite outputs, as in float32", got, where)
                return


def _built(subject: Subject, policy: str) -> Any:
    """Return a layer built with this policy; `None` if the backend lacks its operations."""
    layer = made(subject, policy)
    try:
        subject.call(layer)
    except Exception as error:
        if not is_unsupported(error):
            raise
        return None
    return layer


def _plain_data(subject: Subject) -> Iterator[tuple[str, Data]]:
    yield "signed values", subject.data()
    if subject.has_float_inputs and not any(i.high for i in subject.all_inputs):
        yield "an input of zeros", subject.data().map(np.zeros_like)
        yield "an input of ones", subject.data().map(np.ones_like)
        yield "values near 1e-4", subject.data().map(lambda array: array * np.float32(1e-4))


def _finite(subject: Subject, layer: Any, data: Data) -> bool:
    """Return whether everything is finite that is finite, and not huge, in float32."""
    usual = subject.outputs(subject.shared, data)
    outputs = arrays(subject.call(layer, data, training=False))
    for one, other in zip(usual, outputs, strict=True):
        if one.dtype.kind == "f":
            sound = np.isfinite(one) & (np.abs(one) < 3e4)
            if not np.isfinite(other[sound]).all():
                return False
    return True
