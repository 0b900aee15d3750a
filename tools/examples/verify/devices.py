"""GPUs: whether a backend sees one, and whether a model was really trained on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from scaffold.errors import MissingError

DEVICES = ("cpu", "gpu")
# How to ask a backend for its GPUs, as one would type it.
_ASK = {
    "tensorflow": "import tensorflow as tf; print(tf.config.list_physical_devices('GPU'))",
    "jax": "import jax; print([d for d in jax.devices() if d.platform != 'cpu'])",
    "torch": "import torch; print([*range(torch.cuda.device_count())])",
}
# That a process sees no GPU, whatever the backend.
_HIDDEN = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}


def variables(device: str) -> Mapping[str, str]:
    """What to add to the environment of a process that is to use a device."""
    return _HIDDEN if device == "cpu" else {}


def require_gpu(backend: str) -> None:
    """See that a backend finds a GPU.

    Raises:
        MissingError: If it finds none.
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
            fix="Run it where there is one, with the backend's build for it, or --device cpu",
        )


def placement(model: Any) -> dict[str, Any]:
    """Where the weights lie, and how much memory of the GPU the training took at most.

    Raises:
        SystemExit: If a weight lies elsewhere, or the training was elsewhere.
    """
    import keras

    backend = keras.backend.backend()
    places = sorted({_device_of(weight, backend) for weight in model.trainable_weights})
    wrong = [place for place in places if not any(word in place for word in ("gpu", "cuda"))]
    if wrong:
        raise SystemExit(f"weights lie on {', '.join(wrong)}")
    weights = sum(int(weight.value.nbytes) for weight in model.trainable_weights)
    peak = _peak(backend)
    # Training holds gradients and the optimizer's state beside the weights.
    if peak < 2 * weights:
        raise SystemExit(f"{peak:,} bytes of the GPU were used, for weights of {weights:,} bytes")
    return {"devices": places, "peak_bytes": peak}


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
