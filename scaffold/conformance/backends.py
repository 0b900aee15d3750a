"""Which backends there are, and which one Keras would take; Keras itself is not imported."""

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
    """The variables of a process in which checks run.

    Args:
        backend: The backend.
        folder: Where JAX keeps what it has compiled, if nothing else is said: it compiles a loop
            anew at each call.
    """
    return {
        "JAX_COMPILATION_CACHE_DIR": str(folder / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        **os.environ,
        "KERAS_BACKEND": backend,
    }


def default_backend(environment: Mapping[str, str]) -> str:
    """The backend that Keras would take: KERAS_BACKEND's, then keras.json's, then TensorFlow.

    Args:
        environment: The variables of the environment.

    Raises:
        UsageError: If that is a backend on which no layer can be checked.
    """
    config = _keras_folder(environment) / "keras.json"
    backend, told_by = environment.get("KERAS_BACKEND"), "KERAS_BACKEND"
    if not backend:
        backend, told_by = _configured(config), str(config)
    if backend not in BACKENDS:
        raise UsageError(
            f"{told_by} says `{shown(backend)}`, which is no backend to check on"
            f"{nearest(backend, BACKENDS)}",
            fix=f"Choose one with --backend: {', '.join(BACKENDS)}",
        )
    return backend


def choose(words: Iterable[str]) -> tuple[str, ...]:
    """The backends that are named, each once; `all` are all, and none the one Keras would take.

    Raises:
        UsageError: If one is not a backend to check on.
        MissingError: If one is not installed.
    """
    chosen = tuple(dict.fromkeys(words)) or (default_backend(os.environ),)
    for word in chosen:
        if word not in (*BACKENDS, "all"):
            raise UsageError(
                f"there is no backend `{shown(word)}`{nearest(word, BACKENDS)}",
                fix=f"There are {', '.join(BACKENDS)}.",
            )
    if "all" in chosen:
        chosen = BACKENDS
    require(chosen)
    return chosen


def require(backends: Iterable[str]) -> None:
    """See that Keras and the packages of the backends are installed.

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
    """What keras.json says, as Keras reads it: one that is no JSON says nothing."""
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
