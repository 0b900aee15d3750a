"""Regenerates `scaffold/keras_source/taken_names.py`: the names that the installed Keras uses.

`scaffold layer` must know them without the seconds that importing Keras takes. Run as
`python -m tools.keras_names`, with all three backends installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import scaffold

BACKENDS = ("tensorflow", "jax", "torch")
TARGET = Path(scaffold.__file__).parent / "keras_source/taken_names.py"

_ASK = '''
import inspect, json, keras
from keras.src import activations, constraints, initializers, regularizers

def names(objects):
    return sorted(name for name in objects if isinstance(name, str) and name.isidentifier())

def alone(module, name):
    """Whether the name alone is enough: `threshold` and `constant` need arguments."""
    try:
        found = module.get(name)
    except Exception:
        return False
    parameters = inspect.signature(found).parameters.values() if module is activations else ()
    return sum(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters) < 2

def strings(module, table):
    base = {"initializer", "regularizer", "constraint"}
    found = names(n for n in getattr(module, table) if str(n).lower() not in base)
    return [name for name in found if alone(module, name)]

print("\\n" + json.dumps({
    "LAYERS": names(n for n, o in vars(keras.layers).items() if inspect.isclass(o)),
    "MODELS": names(n for n, o in vars(keras.models).items() if inspect.isclass(o)),
    "LAYER_ATTRIBUTES": names({*dir(keras.layers.Layer()), "dtype", "name", "trainable", "autocast",
                               "activity_regularizer"}),
    "ACTIVATIONS": strings(activations, "ALL_OBJECTS_DICT"),
    "INITIALIZERS": strings(initializers, "ALL_OBJECTS_DICT"),
    "REGULARIZERS": strings(regularizers, "ALL_OBJECTS_DICT"),
    "CONSTRAINTS": strings(constraints, "ALL_OBJECTS_DICT"),
}))
'''


def ask(backend: str) -> dict[str, list[str]]:
    """Return the names that Keras uses on one backend, from a separate process."""
    environment = {**os.environ, "KERAS_BACKEND": backend}
    answer = subprocess.run(
        [sys.executable, "-c", _ASK], env=environment, capture_output=True, text=True, check=True
    )
    names: dict[str, list[str]] = json.loads(answer.stdout.splitlines()[-1])
    return names


def source() -> str:
    """Return the text of `scaffold/keras_source/taken_names.py` for the installed Keras."""
    from scaffold.generation.formatting import format_source

    answers = [ask(backend) for backend in BACKENDS]
    sets = {key: sorted(set().union(*(answer[key] for answer in answers))) for key in answers[0]}
    lines = [f"{key} = frozenset({names!r})" for key, names in sets.items()]
    title = '"""Names that Keras has taken; written by tools.keras_names."""'
    return format_source("\n\n".join([title, *lines]), line_length=100)


if __name__ == "__main__":
    TARGET.write_text(source(), encoding="utf-8")
