"""Gradients with respect to a layer's weights, on each backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scaffold.conformance.lazy import keras, np

Loss = Callable[[], Any]


def gradients(loss: Loss, weights: list[Any], state: list[Any]) -> list[Any]:
    """Return the gradient of a scalar for each weight as an array, `None` if there is no path.

    Args:
        loss: Computes the scalar from the current weights.
        weights: The variables to differentiate with respect to.
        state: The variables that `loss` may assign to: they keep what it assigns.
    """
    of_backend = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    found = of_backend[keras.backend.backend()](loss, weights, state)
    return [None if one is None else np.asarray(one, dtype="float64") for one in found]


def _tensorflow(loss: Loss, weights: list[Any], state: list[Any]) -> list[Any]:
    import tensorflow as tf

    values = [weight.value for weight in weights]
    with tf.GradientTape() as tape:
        tape.watch(values)
        value = loss()
    found = tape.gradient(value, values)
    return [None if one is None else tf.convert_to_tensor(one).numpy() for one in found]


def _torch(loss: Loss, weights: list[Any], state: list[Any]) -> list[Any]:
    import torch

    with torch.enable_grad():
        value = loss()
    if not value.requires_grad:
        return [None] * len(weights)
    found = torch.autograd.grad(value, [one.value for one in weights], allow_unused=True)
    return [None if one is None else one.to_dense().float().cpu().numpy() for one in found]


def _jax(loss: Loss, weights: list[Any], state: list[Any]) -> list[Any]:
    import jax

    def pure(values: list[Any]) -> tuple[Any, list[Any]]:
        mapping = list(zip(weights, values, strict=True))
        mapping += [(variable, variable.value) for variable in state]
        with keras.StatelessScope(mapping, collect_losses=True) as scope:
            value = loss()
            return value, [scope.get_current_value(variable) for variable in state]

    found, after = jax.grad(pure, has_aux=True)([weight.value for weight in weights])
    for variable, value in zip(state, after, strict=True):
        variable.assign(value)
    return list(found)
