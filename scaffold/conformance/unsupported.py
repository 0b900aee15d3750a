"""What a backend says of an operation that it has not on this device for this dtype or format."""

from __future__ import annotations

from typing import Any

from scaffold.conformance.lazy import keras

_KERAS = "Expected `float16`, `float32` or `float64`"  # of Fourier transforms
# TensorFlow computes these forms of convolutions on a CPU with oneDNN or XLA only.
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
    """Whether an error says that the backend itself lacks the operation.

    Such an error is none of the layer's: on another device the same call goes well.
    """
    if isinstance(error, _types()):
        return True
    phrases = (_KERAS, *_PHRASES[keras.backend.backend()])
    return any(phrase in str(error) for phrase in phrases)


def is_beyond_this_cpu(error: BaseException) -> bool:
    """Whether an error says that TensorFlow lacks the operation on processors such as this one.

    Keras's own layer fails alike here, and both work on another processor or with `jit_compile`.
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
