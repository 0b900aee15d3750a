"""A tiny training task for a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scaffold.cases import Input
from scaffold.conformance.lazy import keras, np
from scaffold.conformance.registry import NotApplicable
from scaffold.conformance.subject import Subject, arrays


@dataclass(frozen=True)
class Task:
    """A compiled model with the layer in it, and data for it.

    Args:
        model: The layer itself if it is a model, else a model around it.
        inputs: Inputs of the model, one batch.
        targets: Targets for them.
    """

    model: Any
    inputs: Any
    targets: Any

    def fit(self, steps: int) -> list[float]:
        """Train on the same batch; return the mean loss of all steps so far after each step.

        A model with its own `train_step` may report no loss, or take no targets.
        """
        if type(self.model).train_step is keras.Model.train_step:
            return self._fit(steps, self.targets)
        try:
            return self._fit(steps, self.targets)
        except Exception as problem:  # whatever the user's code raises for a pair
            try:
                return self._fit(steps, None)
            except Exception:
                raise problem from None

    def _fit(self, steps: int, targets: Any) -> list[float]:
        losses: list[float] = []

        def note(step: int, logs: Any) -> None:
            losses.extend(float(logs[name]) for name in ("loss",) if name in logs)

        self.model.fit(
            _repeated(self.inputs, steps),
            None if targets is None else _repeated(targets, steps),
            batch_size=len(keras.tree.flatten(self.inputs)[0]),
            shuffle=False,
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=note)],
        )
        return losses


def _repeated(structure: Any, times: int) -> Any:
    return keras.tree.map_structure(lambda array: np.concatenate([array] * times), structure)


def task(subject: Subject, layer: Any, optimizer: Any) -> Task:
    """Return the task of moving the outputs of a built layer by a little noise.

    Raises:
        NotApplicable: If the layer can't be fitted.
    """
    from scaffold.conformance.instruments.host_models import Task as Host
    from scaffold.conformance.instruments.host_models import is_float

    data = subject.data()
    if any(described.dtype == "string" for described in subject.all_inputs):
        raise NotApplicable("the layer takes strings")
    outputs = subject.call(layer, data, training=False)
    leaves = keras.tree.flatten(outputs)
    if takes_one(subject) and all(map(is_float, leaves)):
        model, inputs, targets = layer, data.inputs, _moved(outputs)
    else:
        model = Host(layer, subject.case.inputs, subject.case.call)
        inputs, targets = data.tensors(), _moved(list(filter(is_float, leaves)))
    arrays_ = keras.tree.flatten([inputs, targets])
    if not keras.tree.flatten(targets):
        raise NotApplicable("no output is a float tensor")
    if len({len(array) if array.ndim else 0 for array in arrays_}) > 1:
        raise NotApplicable("an output doesn't have one sample for each sample of the inputs")
    losses = keras.tree.map_structure(lambda _: "mean_squared_error", targets)
    given = {"optimizer": optimizer, "loss": losses, **compiling()}
    try:
        inspect.signature(model.compile).bind(**given)
    except TypeError as problem:
        raise NotApplicable(f"its `compile` takes other arguments: {problem}") from None
    model.compile(**given)
    return Task(model, inputs, targets)


def takes_one(subject: Subject) -> bool:
    """Return whether it is a model that `fit` can feed directly."""
    return subject.is_model and isinstance(subject.case.inputs, Input) and not subject.case.call


def compiling() -> dict[str, Any]:
    """Return arguments for `compile`: on TensorFlow, no XLA, which would take most of the time."""
    return {"jit_compile": False} if keras.backend.backend() == "tensorflow" else {}


def _moved(outputs: Any) -> Any:
    random = np.random.default_rng(3)
    moved: Callable[[Any], Any] = lambda tensor: _add(arrays(tensor)[0], random)  # noqa: E731
    return keras.tree.map_structure(moved, outputs)


def _add(array: Any, random: Any) -> Any:
    return array + random.normal(size=array.shape).astype(array.dtype)
