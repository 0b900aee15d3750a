"""The backends, and which one Keras would use; Keras itself is not imported."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from scaffold.errors import MissingError, UsageError
from scaffold.text import nearest, shown

BACKENDS = ("tensorflow", "jax", "torch")


def environment(backend: str, folder: Path) -> dict[str, str]:
    """Return the environment variables of a process that runs checks.

    Args:
        backend: The backend.
        folder: Where JAX caches what it compiles, unless set otherwise: it compiles a loop again
            in each call.
    """
    return {
        "JAX_COMPILATION_CACHE_DIR": str(folder / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        **os.environ,
        "KERAS_BACKEND": backend,
    }


def default_backend(environment: Mapping[str, str]) -> str:
    """Return the backend that Keras would use: KERAS_BACKEND's, else keras.json's, else TensorFlow.

    Args:
        environment: The environment variables.

    Raises:
        UsageError: If layers can't be checked on that backend.
    """
    config = _keras_folder(environment) / "keras.json"
    backend, source = environment.get("KERAS_BACKEND"), "KERAS_BACKEND"
    if not backend:
        backend, source = _configured(config), str(config)
    if backend not in BACKENDS:
        raise UsageError(
            f"{source} selects `{shown(backend)}`, which is not a supported backend"
            f"{nearest(backend, BACKENDS)}",
            fix=f"Choose one with --backend: {', '.join(BACKENDS)}",
        )
    return backend


def choose(words: Iterable[str]) -> tuple[str, ...]:
    """Return the named backends, each once: `all` for all; without a name, the one Keras would use.

    Raises:
        UsageError: If a backend is not supported.
        MissingError: If a backend is not installed.
    """
    chosen = tuple(dict.fromkeys(words)) or (default_backend(os.environ),)
    for word in chosen:
        if word not in (*BACKENDS, "all"):
            raise UsageError(
                f"`{shown(word)}` is not a backend{nearest(word, BACKENDS)}",
                fix=f"The backends are {', '.join(BACKENDS)}.",
            )
    if "all" in chosen:
        chosen = BACKENDS
    require(chosen)
    return chosen


def require(backends: Iterable[str]) -> None:
    """Ensure that Keras and the backends' packages are installed.

    Raises:
        MissingError: If one of them is not.
    """
    for package in ("keras", *backends):
        if importlib.util.find_spec(package) is None:
            what = "Keras" if package == "keras" else f"the backend `{package}`"
            raise MissingError(
                f"{what} is not installed", fix=f"Install it: `pip install {package}`"
            )


def _configured(config: Path) -> str:
    """Return the backend in keras.json, as Keras reads it: invalid JSON is ignored."""
    try:
        data = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        data = {}
    return str(data.get("backend", "tensorflow")) if isinstance(data, dict) else "tensorflow"


def _keras_folder(environment: Mapping[str, str]) -> Path:
    if "KERAS_HOME" in environment:
        return Path(environment["KERAS_HOME"]).expanduser()
    home = Path.home()
    return (home if os.access(home, os.W_OK) else Path("/tmp")) / ".keras"  # noqa: S108 - as Keras
