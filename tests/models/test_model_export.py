"""Exported models give the same without Keras: as a SavedModel, and on LiteRT."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.proof import GOLDENS, commands, first_goldens

# How far from the model's own outputs those of an exported one are, by format and module.
SCRIPT = """
import importlib, json, sys, warnings
from pathlib import Path
from tempfile import TemporaryDirectory
import keras
import numpy as np
import tensorflow as tf
from scaffold.conformance.cases import cases_of
from scaffold.conformance.subject import Subject

warnings.filterwarnings("ignore", ".*tf.lite.Interpreter is deprecated")


def saved_model(model, inputs, signature, path):
    model.export(path, "tf_saved_model", verbose=False, input_signature=[signature])
    loaded = tf.saved_model.load(path)
    return tf.nest.flatten(loaded.serve(inputs))


def litert(model, inputs, signature, path):
    path = f"{path}.tflite"
    model.export(path, "litert", verbose=False, input_signature=[signature])
    run = tf.lite.Interpreter(path).get_signature_runner()
    outputs = run(**dict(zip(run.get_input_details(), keras.tree.flatten(inputs), strict=True)))
    return [outputs[name] for name in sorted(outputs)]


def signature(inputs, *batch):
    # With the size of the batch that is given, else that of the inputs.
    return keras.tree.map_structure(
        lambda x: keras.layers.InputSpec(x.dtype.name, (*(batch or x.shape[:1]), *x.shape[1:])),
        inputs,
    )


found = {}
for module, name in json.loads(sys.argv[1]):
    cls = getattr(importlib.import_module(module), name)
    case, _ = next(iter(cases_of(cls, {}, Path.cwd())))
    subject = Subject(cls, case)
    model, inputs = subject.make(), subject.data().inputs
    expected = keras.tree.flatten(model(subject.tensors(subject.data()).inputs, training=False))
    # Recurrent layers and images out of noise need operations that LiteRT lacks where the batch
    # is left open.
    specs = {saved_model: signature(inputs, None), litert: signature(inputs)}
    for run, spec in specs.items():
        with TemporaryDirectory() as folder:
            outputs = run(model, inputs, spec, str(Path(folder, "model")))
        errors = [
            float(np.abs(keras.ops.convert_to_numpy(one) - other).max())
            for one, other in zip(expected, outputs, strict=True)
        ]
        found[f"{run.__name__} {module}"] = max(errors)
print(json.dumps(found))
"""


def model_of(golden: str) -> tuple[str, str]:
    """The module and the name of the class that the golden is for."""
    (script,) = (GOLDENS / golden).glob("train_*.py")
    return script.stem.removeprefix("train_"), commands()[golden][1]


@pytest.mark.parametrize("half", [0, 1])
def test_gives_the_same(half: int, tmp_path: Path) -> None:
    goldens = first_goldens()[half::2]
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps([model_of(golden) for golden in goldens])],
        cwd=tmp_path,
        env={
            **os.environ,
            "KERAS_BACKEND": "tensorflow",
            "PYTHONPATH": os.pathsep.join(str(GOLDENS / golden) for golden in goldens),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert len(found) == 2 * len(goldens)
    assert {name: error for name, error in found.items() if not error < 1e-5} == {}
