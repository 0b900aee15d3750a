"""State of the backend itself, which Keras doesn't track."""

from __future__ import annotations

from typing import Any

from scaffold.conformance.lazy import keras


def is_native_variable(value: Any) -> bool:
    """Return whether it is a variable of the backend, or a module of the backend that has some."""
    if isinstance(value, (keras.layers.Layer, keras.Variable)):
        return False
    return {"tensorflow": _of_tensorflow, "torch": _of_torch}.get(
        keras.backend.backend(), lambda value: False
    )(value)


def _of_tensorflow(value: Any) -> bool:
    import tensorflow as tf

    return isinstance(value, tf.Variable)


def _of_torch(value: Any) -> bool:
    import torch

    if isinstance(value, torch.nn.Module):
        return any(True for _ in value.parameters())
    return isinstance(value, torch.Tensor) and value.requires_grad and value.is_leaf
