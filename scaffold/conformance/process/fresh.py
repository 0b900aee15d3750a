"""A second process, in which saved models must load.

It is started early, so that its imports of Keras and of the user's module overlap with the checks.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from scaffold.cases import plain
from scaffold.conformance.lazy import np
from scaffold.conformance.process.channel import Channel

if TYPE_CHECKING:
    from scaffold.conformance.subject import Subject


class FreshProcess:
    """A second interpreter with the same backend and a different hash seed.

    Args:
        backend: The Keras backend.
        path: Folders from which the user's modules are imported.
    """

    def __init__(self, backend: str, path: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scaffold.conformance.process.fresh", *path],
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

    def predict(self, subject: Subject, model: Path) -> list[Any]:
        """Load a saved model there, and return its outputs for the case's data.

        Args:
            subject: The class and the case; its module is imported first, which registers it.
            model: The `.keras` file: the class itself if it is a model, else a Functional model
                that consists of the layer.

        Raises:
            FreshProcessError: If loading or predicting raises there, or the process dies.
        """
        results = self.folder / "outputs.npz"
        request = {
            "module": subject.cls.__module__,
            "model": str(model),
            "inputs": plain(subject.case.inputs),
            "call": plain(subject.case.call),
            "functional": not subject.is_model,
            "results": str(results),
        }
        problem = "" if self._process.poll() is not None else self._ask(request)
        if problem is None or self._process.poll() is not None:
            raise FreshProcessError(f"the process ended with {self._process.wait()}")
        if problem:
            raise FreshProcessError(problem)
        return _load(results)

    def _ask(self, request: dict[str, Any]) -> Any:
        self._channel.send(request)
        return self._channel.receive()

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
    """An error in the other process, in its own words."""


def _load(path: Path) -> list[Any]:
    with np.load(path, allow_pickle=False) as stored:
        return [stored[f"a{i}"] for i in range(len(stored.files))]


def _serve(channel: Channel) -> None:
    import keras

    keras.config.disable_traceback_filtering()
    while (request := channel.receive()) is not None:
        try:
            outputs = _predicted(request)
        except (Exception, SystemExit) as problem:
            error: BaseException = problem
            while (first := error.__cause__ or error.__context__) is not None:
                error = first  # Keras wraps the original error in others
            channel.send("".join(traceback.format_exception_only(error)).strip()[:300])
            continue
        np.savez(request["results"], **{f"a{i}": array for i, array in enumerate(outputs)})
        channel.send("")


def _predicted(request: dict[str, Any]) -> list[Any]:
    import keras

    from scaffold.cases import Case, restored
    from scaffold.conformance.subject import Subject, arrays

    importlib.import_module(request["module"])
    model = keras.saving.load_model(request["model"], compile=False)
    case = Case(inputs=restored(request["inputs"]), call=restored(request["call"]))
    subject = Subject(type(model), case)
    if request["functional"]:
        tensors = subject.tensors(subject.data()).tensors()
        return arrays(model(tensors, training=False))
    outputs: list[Any] = subject.outputs(model)
    return outputs


if __name__ == "__main__":
    sys.path[:0] = sys.argv[1:]
    _serve(Channel.of_this_process())
