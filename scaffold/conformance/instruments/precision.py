"""The same layer under other dtype policies, and which of its sub-layers follow them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scaffold.conformance.instruments.tracing import given_shapes
from scaffold.conformance.lazy import keras
from scaffold.conformance.subject import Subject, fresh_arguments

PURE = ("float16", "bfloat16", "float64")
MIXED = ("mixed_bfloat16", "mixed_float16")
# No layer gets this dtype here, so that only layers without a dtype follow it.
_ELSEWHERE = "float64"


def available(policy: str) -> bool:
    """Return whether the backend computes in the dtype of a policy.

    JAX truncates float64 to float32 unless told otherwise, as `ops.matmul` does on Torch.
    """
    if policy != "float64":
        return True
    one = keras.ops.ones((1, 1), dtype="float64")
    return bool(keras.backend.standardize_dtype(keras.ops.matmul(one, one).dtype) == "float64")


def is_float(tensor: Any) -> bool:
    """Return whether a tensor or a variable holds floats."""
    return bool(keras.backend.is_float_dtype(keras.backend.standardize_dtype(tensor.dtype)))


def strays(subject: Subject) -> Iterator[tuple[str, Any]]:
    """Yield the sub-layers that follow the global dtype policy, not the layer's, by attribute.

    A sub-layer that is float32 on purpose, such as a softmax, is not one of them.

    Args:
        subject: The class in a case.
    """
    args = fresh_arguments(subject.case.args)  # Layers among them don't belong to the class
    with _global_policy(_ELSEWHERE):
        layer = subject.make(**{**args, "dtype": "mixed_bfloat16"})
        if not layer.built and not subject.is_model:
            given_shapes(layer.build, subject.shapes)
    for child in layer._flatten_layers(include_self=False):
        if _computes(child) and child.dtype_policy.name == _ELSEWHERE:
            yield _attribute(layer, child), child


def _computes(layer: Any) -> bool:
    """Return whether it does more than hold others, unlike an input or a graph of layers."""
    graph = isinstance(layer, keras.Model) and type(layer).call.__module__.startswith("keras.")
    return not (graph or isinstance(layer, keras.layers.InputLayer))


def made(subject: Subject, policy: str) -> Any:
    """Return a layer with another policy, which layers among its arguments get, too."""
    with _global_policy(policy):
        args = fresh_arguments(subject.case.args)
    return subject.make(**{**args, "dtype": policy})


def narrowed(subject: Subject, layer: Any) -> Iterator[tuple[str, Any]]:
    """Yield the sub-layers of a mixed-precision layer with variables in its compute dtype."""
    for child in layer._flatten_layers(include_self=False):
        if child.weights and child.variable_dtype == layer.compute_dtype:
            yield _attribute(layer, child), child


@contextmanager
def _global_policy(name: str) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _attribute(layer: Any, child: Any) -> str:
    """Return the attribute that holds a sub-layer, or a list or dict of it; empty if none does."""
    held: dict[str, Any] = vars(layer) | vars(layer).get("_modules", {})  # Torch puts them there
    for name, value in held.items():
        if not name.startswith("_") or value is child:
            parts = keras.tree.flatten(value) if isinstance(value, list | tuple | dict) else [value]
            if any(part is child for part in parts):
                return name
    return ""
