"""In a process of its own: a saved model predicts as it did where it was trained.

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
    """Compare; end with what differs."""
    model, *modules = sys.argv[1:]
    for module in modules:
        importlib.import_module(module)
    loaded = keras.saving.load_model(model)
    with np.load(PREDICTIONS) as stored:
        places = json.loads(str(stored["places"]))
        inputs = _filled(places, stored)
        outputs = keras.tree.flatten(loaded.predict(inputs, verbose=0))
        for i, output in enumerate(outputs):
            expected = stored[f"output{i}"]
            scale = max(1.0, float(np.abs(expected).max()))
            apart = float(np.abs(np.asarray(output) - expected).max()) / scale
            if not apart <= TOLERANCE:
                raise SystemExit(f"output {i} of the reloaded model is {apart:.2g} away")


def _filled(places: Any, stored: Any) -> Any:
    if isinstance(places, dict):
        return {key: _filled(value, stored) for key, value in places.items()}
    if isinstance(places, list):
        return [_filled(value, stored) for value in places]
    return stored[f"input{places}"]


if __name__ == "__main__":
    main()
