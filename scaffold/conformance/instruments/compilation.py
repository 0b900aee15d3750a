"""Compiles calls as Keras does in `fit` and `predict`, on each backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scaffold.conformance.lazy import keras
from scaffold.conformance.subject import Data

Function = Callable[[Data], Any]


def compiled(function: Function, like: Data, layer: Any) -> Function:
    """Return a function of data that is traced in its first call and then runs without Python.

    This is what Keras does in `fit` and `predict` on TensorFlow and JAX. On Torch it compiles
    nothing, and the function is returned as it is.

    Args:
        function: Returns tensors for data. It goes through `layer.__call__`, so that masks,
            autocast and `training` work as inside a model.
        like: Data with the structure that it will be called with.
        layer: The layer whose variables it reads and changes; they are up to date after a call.
    """
    make = {"tensorflow": _in_tensorflow, "jax": _in_jax}.get(keras.backend.backend())
    return make(function, like, layer) if make else function


def _in_tensorflow(function: Function, like: Data, layer: Any) -> Function:
    import tensorflow as tf

    # Without AutoGraph, as Keras's own trainer traces
    traced = tf.function(lambda leaves: function(like.filled(leaves)), autograph=False)
    return lambda data: traced([tf.convert_to_tensor(leaf) for leaf in data.tensors()])


def _in_jax(function: Function, like: Data, layer: Any) -> Function:
    import jax

    variables = layer.variables

    def stateless(values: list[Any], leaves: list[Any]) -> tuple[Any, list[Any]]:
        mapping = list(zip(variables, values, strict=True))
        with keras.StatelessScope(state_mapping=mapping) as scope:
            outputs = function(like.filled(leaves))
        return outputs, [scope.get_current_value(variable) for variable in variables]

    traced = jax.jit(stateless)

    def run(data: Data) -> Any:
        before = [variable.value for variable in variables]
        outputs, values = traced(before, data.tensors())
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return outputs

    return run


def is_of_a_trace(value: Any) -> bool:
    """Return whether a tensor is a symbol in a trace, without values of its own."""
    match keras.backend.backend():
        case "tensorflow":
            import tensorflow as tf

            return bool(tf.is_symbolic_tensor(value))
        case "jax":
            import jax

            return isinstance(value, jax.core.Tracer)
        case "torch":
            import torch

            return isinstance(value, torch.Tensor) and value.is_meta
    return False
