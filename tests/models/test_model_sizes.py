"""The architectures have as many parameters as people know them to have."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from models.proof import GOLDENS, Size, proofs

SIZES = {
    f"{template}-{number}": size
    for template, proof in proofs().items()
    for number, size in enumerate(proof.sizes)
}
SCRIPT = """
import importlib, sys
golden, module, arguments, inputs = sys.argv[1:]
import keras
cls = next(
    one for one in vars(importlib.import_module(module)).values()
    if isinstance(one, type) and issubclass(one, keras.Model) and one.__module__ == module
)
model = eval(f"cls({arguments})", {"cls": cls, "keras": keras})
if inputs != "None":
    model.build(keras.tree.map_shape_structure(lambda shape: (None, *shape), eval(inputs)))
model.summary(print_fn=lambda *words, **more: None)
print(model.count_params())
"""


@pytest.mark.parametrize("name", SIZES)
def test_has_as_many_parameters(name: str) -> None:
    size: Size = SIZES[name]
    folder = GOLDENS / size.golden
    (test,) = folder.glob("test_*.py")
    module = test.stem.removeprefix("test_")
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, size.golden, module, size.arguments, str(size.inputs)],
        env={**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) == size.parameters
