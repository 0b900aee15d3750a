"""In a separate process: check that a saved model gives the same predictions as after training.

python -m tools.examples.verify.reloaded MODEL MODULE...
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import keras
import numpy as np

from tools.examples.verify.trained import PREDICTIONS

TOLERANCE = 1e-5


def main() -> None:
    """Compare the predictions, and exit with the first difference."""
    model, *modules = sys.argv[1:]
    for module in modules:
        importlib.import_module(module)
    loaded = keras.saving.load_model(model)
    with np.load(PREDICTIONS) as stored:
        structure = json.loads(str(stored["structure"]))
        inputs = _filled(structure, stored)
        outputs = keras.tree.flatten(loaded.predict(inputs, verbose=0))
        for i, output in enumerate(outputs):
            expected = stored[f"output{i}"]
            scale = max(1.0, float(np.abs(expected).max()))
            apart = float(np.abs(np.asarray(output) - expected).max()) / scale
            if not apart <= TOLERANCE:
                raise SystemExit(f"output {i} of the reloaded model differs by {apart:.2g}")


def _filled(structure: Any, stored: Any) -> Any:
    if isinstance(structure, dict):
        return {key: _filled(value, stored) for key, value in structure.items()}
    if isinstance(structure, list):
        return [_filled(value, stored) for value in structure]
    return stored[f"input{structure}"]


if __name__ == "__main__":
    main()
