"""What a backend says of an operation that it has not on this device for this dtype or format."""

from __future__ import annotations

from typing import Any

from scaffold.conformance.lazy import keras

_KERAS = "Expected `float16`, `float32` or `float64`"  # of Fourier transforms
_PHRASES = {
    "tensorflow": (
        "is not in the list of allowed values",
        "No OpKernel was registered",
        "Could not find device for node",
        "NHWC tensor format",
        "only supports NHWC",
        "only supports NDHWC",
    ),
    "torch": ("not implemented for",),
    "jax": ("not implemented", "Unsupported"),
}


def is_unsupported(error: BaseException) -> bool:
    """Whether an error says that the backend itself lacks the operation.

    Such an error is none of the layer's: on another device the same call goes well.
    """
    if isinstance(error, _types()):
        return True
    phrases = (_KERAS, *_PHRASES[keras.backend.backend()])
    return any(phrase in str(error) for phrase in phrases)


def _types() -> tuple[Any, ...]:
    if keras.backend.backend() != "tensorflow":
        return (NotImplementedError,)
    import tensorflow as tf

    return (tf.errors.UnimplementedError, tf.errors.NotFoundError)
