"""GPUs: whether a backend sees one, and whether a model was really trained on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from scaffold.errors import MissingError

DEVICES = ("cpu", "gpu")
# Code that prints the GPUs of a backend.
_ASK = {
    "tensorflow": "import tensorflow as tf; print(tf.config.list_physical_devices('GPU'))",
    "jax": "import jax; print([d for d in jax.devices() if d.platform != 'cpu'])",
    "torch": "import torch; print([*range(torch.cuda.device_count())])",
}
# Hides GPUs from a process, on any backend.
_HIDDEN = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}


def variables(device: str) -> Mapping[str, str]:
    """Return the environment variables for a process that uses a device."""
    return _HIDDEN if device == "cpu" else {}


def require_gpu(backend: str) -> None:
    """Check that a backend sees a GPU.

    Raises:
        MissingError: If it sees none.
    """
    asked = subprocess.run(
        [sys.executable, "-c", _ASK[backend]],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = asked.stdout.strip().splitlines()[-1:] or ["[]"]
    if asked.returncode or found == ["[]"]:
        raise MissingError(
            f"{backend} sees no GPU: `{_ASK[backend].partition('; ')[2]}` gives "
            f"{found[0] if not asked.returncode else asked.stderr.strip().splitlines()[-1]}",
            fix="Use a machine with a GPU and the backend's build for it, or --device cpu",
        )


def placement(model: Any) -> dict[str, Any]:
    """Return the devices of the weights, and the peak GPU memory of the training.

    Raises:
        SystemExit: If a weight is on another device, or the training ran elsewhere.
    """
    import keras

    backend = keras.backend.backend()
    devices = sorted({_device_of(weight, backend) for weight in model.trainable_weights})
    wrong = [device for device in devices if not any(word in device for word in ("gpu", "cuda"))]
    if wrong:
        raise SystemExit(f"weights are on {', '.join(wrong)}")
    weights = sum(int(weight.value.nbytes) for weight in model.trainable_weights)
    peak = _peak(backend)
    # Training also needs memory for gradients and the optimizer's state.
    if peak < 2 * weights:
        raise SystemExit(f"{peak:,} bytes of GPU memory used, for weights of {weights:,} bytes")
    return {"devices": devices, "peak_bytes": peak}


def _device_of(weight: Any, backend: str) -> str:
    value = weight.value
    match backend:
        case "jax":
            return " ".join(sorted(f"{d.platform}:{d.id}" for d in value.devices())).lower()
        case "torch":
            return str(value.device).lower()
    return str(value.device).rpartition("/device:")[2].lower()


def _peak(backend: str) -> int:
    match backend:
        case "jax":
            import jax

            return int(jax.devices()[0].memory_stats()["peak_bytes_in_use"])
        case "torch":
            import torch

            return int(torch.cuda.max_memory_allocated())
    import tensorflow as tf

    return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
