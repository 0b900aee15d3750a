"""A second process, in which what was saved must come back.

It is started early, so that its imports of Keras and of the user's module overlap with the checks.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scaffold.conformance.channel import Channel
from scaffold.conformance.lazy import np


class FreshProcess:
    """Another interpreter with the same backend and another hash seed.

    Args:
        backend: The Keras backend.
        path: Folders from which the user's modules are imported.
    """

    def __init__(self, backend: str, path: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scaffold.conformance.fresh", *path],
            env={**os.environ, "KERAS_BACKEND": backend, "PYTHONHASHSEED": "4321"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._channel = Channel(self._process.stdout, self._process.stdin)
        self.folder = Path(tempfile.mkdtemp(prefix="scaffold-"))

    def predict(self, module: str, model: Path, inputs: Sequence[Any]) -> list[Any]:
        """What a saved model gives for arrays, once it is loaded there.

        Args:
            module: The module to import first, which registers the class.
            model: The `.keras` file.
            inputs: The model's inputs, in its order.

        Raises:
            FreshProcessError: If loading or predicting raises there, or the process dies.
        """
        given, results = self.folder / "inputs.npz", self.folder / "outputs.npz"
        np.savez(given, **{f"a{i}": array for i, array in enumerate(inputs)})
        self._channel.send([module, str(model), str(given), str(results)])
        problem = self._channel.receive()
        if problem is None:
            raise FreshProcessError(f"the process ended with {self._process.wait()}")
        if problem:
            raise FreshProcessError(problem)
        return _load(results)

    def close(self) -> None:
        """End the process and remove its files."""
        import shutil

        self._process.kill()
        self._process.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class FreshProcessError(Exception):
    """What went wrong in the other process, in its words."""


def _load(path: Path) -> list[Any]:
    with np.load(path, allow_pickle=False) as stored:
        return [stored[f"a{i}"] for i in range(len(stored.files))]


def _serve(channel: Channel) -> None:
    import keras

    from scaffold.conformance.subject import arrays

    while (request := channel.receive()) is not None:
        module, model, given, results = request
        try:
            __import__(module)
            loaded = keras.saving.load_model(model, compile=False)
            outputs = arrays(loaded(_load(Path(given)), training=False))
        except Exception as error:
            channel.send("".join(traceback.format_exception_only(error)).strip())
            continue
        np.savez(results, **{f"a{i}": array for i, array in enumerate(outputs)})
        channel.send("")


if __name__ == "__main__":
    sys.path[:0] = sys.argv[1:]
    _serve(Channel.of_this_process())
