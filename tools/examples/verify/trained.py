"""In a separate process: run a training script, and record its results.

    python -m tools.examples.verify.trained SCRIPT cpu|gpu

Writes `facts.json`, and the predictions of the trained model to `predictions.npz`.
"""

from __future__ import annotations

import importlib.util
import json
import runpy
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tools.examples.verify.devices import placement

FACTS = Path("facts.json")
PREDICTIONS = Path("predictions.npz")
_ROWS = 32


class _Training:
    """Records the arguments of `fit`, and the duration of its epochs."""

    def __init__(self) -> None:
        self.model: Any = None
        self.x: Any = None
        self.history: Any = None
        self.epochs: list[float] = []

    def watch(self) -> None:
        """Record every call of `fit`."""
        fit = keras.Model.fit

        def watched(model: Any, x: Any = None, *args: Any, **kwargs: Any) -> Any:
            self.model, self.x = model, x
            timer = keras.callbacks.LambdaCallback(
                on_epoch_begin=lambda epoch, logs: self.epochs.append(-time.perf_counter()),
                on_epoch_end=lambda epoch, logs: self._end_epoch(),
            )
            kwargs["callbacks"] = [*(kwargs.get("callbacks") or ()), timer]
            self.history = fit(model, x, *args, **kwargs)
            return self.history

        keras.Model.fit = watched

    def _end_epoch(self) -> None:
        self.epochs[-1] += time.perf_counter()

    def facts(self) -> dict[str, Any]:
        # The first epoch includes compilation.
        epochs = self.epochs[1:] or self.epochs
        return {
            "parameters": int(self.model.count_params()),
            "epochs": len(self.epochs),
            "steps_per_epoch": self.history.params["steps"],
            "ms_per_step": 1000 * statistics.median(epochs) / self.history.params["steps"],
            "curves": {
                name: [round(float(value), 5) for value in values]
                for name, values in self.history.history.items()
            },
            "graph": graph(self.model),
        }


def graph(model: Any) -> str:
    """Return the model in Graphviz's language, if pydot is installed."""
    if importlib.util.find_spec("pydot") is None:
        return ""
    dot = keras.utils.model_to_dot(model, show_layer_names=True, show_shapes=True)
    return str(dot.to_string())


def inputs_for(model: Any, x: Any) -> Any:
    """Return some rows of the training data, or noise if the model's inputs have other ranks."""
    config = model.get_build_config() or {}
    shapes = config.get("input_shape") or config.get("shapes_dict")
    rows = keras.tree.map_structure(lambda one: np.asarray(one)[:_ROWS], x)
    if shapes is None or _ranks(rows) == _shape_ranks(shapes):
        return rows
    random = np.random.default_rng(0)
    return keras.tree.map_shape_structure(
        lambda shape: random.normal(size=(_ROWS, *shape[1:])).astype("float32"), shapes
    )


def _ranks(arrays: Any) -> list[int]:
    return [one.ndim for one in keras.tree.flatten(arrays)]


def _shape_ranks(shapes: Any) -> list[int]:
    found: list[int] = []
    keras.tree.map_shape_structure(lambda shape: found.append(len(shape)), shapes)
    return found


def save(model: Any, inputs: Any) -> None:
    """Write the inputs, their structure, and the predictions of the model."""
    leaves = keras.tree.flatten(inputs)
    structure = keras.tree.pack_sequence_as(inputs, [*range(len(leaves))])
    outputs = keras.tree.flatten(model.predict(inputs, verbose=0))
    arrays: dict[str, Any] = {
        "structure": json.dumps(structure),
        **{f"input{i}": leaf for i, leaf in enumerate(leaves)},
        **{f"output{i}": np.asarray(output) for i, output in enumerate(outputs)},
    }
    np.savez(PREDICTIONS, **arrays)


def main() -> None:
    """Run the script and record its results."""
    script, device = sys.argv[1:]
    sys.argv[:] = [script]
    training = _Training()
    training.watch()
    runpy.run_path(script, run_name="__main__")
    facts = training.facts()
    if device == "gpu":
        facts["placement"] = placement(training.model)
    save(training.model, inputs_for(training.model, training.x))
    FACTS.write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main()
