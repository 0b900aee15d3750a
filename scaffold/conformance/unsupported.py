"""Errors of backends that lack an operation on this device, or for this dtype or format."""

from __future__ import annotations

from typing import Any

from scaffold.conformance.lazy import keras

_KERAS = "Expected `float16`, `float32` or `float64`"  # of Fourier transforms
# TensorFlow supports these convolutions on CPUs only with oneDNN or XLA.
_NOT_ON_THIS_CPU = (
    "NHWC tensor format",
    "only supports NHWC",
    "only supports NDHWC",
    "do not yet support dilation rates",
)
_PHRASES = {
    "tensorflow": (
        "is not in the list of allowed values",
        "No OpKernel was registered",
        "Could not find device for node",
        *_NOT_ON_THIS_CPU,
    ),
    "torch": ("not implemented for",),
    "jax": ("not implemented", "Unsupported"),
}


def is_unsupported(error: BaseException) -> bool:
    """Return whether an error says that the backend itself lacks the operation.

    Such an error is not the layer's fault: the same call works on another device.
    """
    if isinstance(error, _types()):
        return True
    phrases = (_KERAS, *_PHRASES[keras.backend.backend()])
    return any(phrase in str(error) for phrase in phrases)


def is_beyond_this_cpu(error: BaseException) -> bool:
    """Return whether an error says that TensorFlow lacks the operation on this kind of processor.

    Keras's own layer fails here, too; both work on other processors or with `jit_compile`.
    """
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    said_by_an_operation = isinstance(error, tf.errors.OpError)
    return said_by_an_operation and any(phrase in str(error) for phrase in _NOT_ON_THIS_CPU)


def _types() -> tuple[Any, ...]:
    if keras.backend.backend() != "tensorflow":
        return (NotImplementedError,)
    import tensorflow as tf

    return (tf.errors.UnimplementedError, tf.errors.NotFoundError)
