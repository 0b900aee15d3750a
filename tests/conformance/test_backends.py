from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scaffold.conformance.backends import BACKENDS, default_backend, require
from scaffold.errors import MissingError, UsageError


def told(folder: Path, text: str) -> dict[str, str]:
    """Return an environment in which keras.json has this text."""
    (folder / "keras.json").write_text(text)
    return {"KERAS_HOME": str(folder)}


@pytest.mark.parametrize("backend", BACKENDS)
def test_keras_json(tmp_path: Path, backend: str) -> None:
    environment = told(tmp_path, f'{{"floatx": "float32", "backend": "{backend}"}}')
    assert default_backend(environment) == backend
    assert default_backend(environment | {"KERAS_BACKEND": ""}) == backend
    assert default_backend(environment | {"KERAS_BACKEND": "jax"}) == "jax"


@pytest.mark.parametrize("text", ["", "{", "{}", '{"floatx": "float32"}'])
def test_keras_json_without_a_backend(tmp_path: Path, text: str) -> None:
    assert default_backend(told(tmp_path, text)) == "tensorflow"


def test_no_keras_json(tmp_path: Path) -> None:
    assert default_backend({"KERAS_HOME": str(tmp_path)}) == "tensorflow"
    assert default_backend({"KERAS_HOME": str(tmp_path / "none")}) == "tensorflow"


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / ".keras").mkdir()
    told(tmp_path / ".keras", f'{{"backend": "{backend}"}}')
    assert default_backend({}) == backend


def test_keras_uses_the_same(tmp_path: Path) -> None:
    environment = {**os.environ, **told(tmp_path, '{"backend": "jax"}')}
    environment.pop("KERAS_BACKEND", None)
    ask = "import keras; print(keras.config.backend())"
    done = subprocess.run(
        [sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == default_backend(environment) == "jax"


def test_another_backend(tmp_path: Path) -> None:
    environment = told(tmp_path, '{"backend": "numpy"}')
    with pytest.raises(UsageError) as raised:
        default_backend(environment)
    assert raised.value.message == (
        f"{tmp_path / 'keras.json'} selects `numpy`, which is not a supported backend."
    )
    with pytest.raises(UsageError) as raised:
        default_backend({"KERAS_BACKEND": "tensorflw"})
    assert raised.value.message == (
        "KERAS_BACKEND selects `tensorflw`, which is not a supported backend. "
        "Did you mean `tensorflow`?"
    )
    assert raised.value.fix == "Choose one with --backend: tensorflow, jax, torch."


@pytest.mark.parametrize(
    ("missing", "message", "fix"),
    [
        ("keras", "Keras is not installed.", "Install it: `pip install keras`."),
        ("torch", "the backend `torch` is not installed.", "Install it: `pip install torch`."),
    ],
)
def test_require(monkeypatch: pytest.MonkeyPatch, missing: str, message: str, fix: str) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == missing else real(name)
    )
    with pytest.raises(MissingError) as raised:
        require(["jax", "torch"])
    assert (raised.value.message, raised.value.fix) == (message, fix)


def test_all_is_installed() -> None:
    require(BACKENDS)
