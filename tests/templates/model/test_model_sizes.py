"""The architectures have their known numbers of parameters."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from conftest import Warm
from goldens import GOLDENS
from proofs import Size, proofs

SIZES = {
    f"{template}-{number}": size
    for template, proof in proofs("model").items()
    for number, size in enumerate(proof.sizes)
}
# Sizes tested in one process, which imports Keras once.
SHARDS = [[*SIZES][first::4] for first in range(4)]
SCRIPT = """
import importlib, json, sys
import keras
for module, arguments, inputs in json.loads(sys.argv[1]):
    cls = next(
        one for one in vars(importlib.import_module(module)).values()
        if isinstance(one, type) and issubclass(one, keras.Model) and one.__module__ == module
    )
    model = eval(f"cls({arguments})", {"cls": cls, "keras": keras})
    if inputs is not None:
        model.build(keras.tree.map_shape_structure(lambda shape: (None, *shape), eval(inputs)))
    model.summary(print_fn=lambda *words, **more: None)
    print(model.count_params())
"""


def asked(size: Size) -> tuple[str, str, str | None]:
    """Return the module of the class, and the script's arguments to create and build it."""
    (test,) = (GOLDENS / size.golden).glob("test_*.py")
    return test.stem.removeprefix("test_"), size.arguments, size.inputs


@pytest.mark.parametrize("names", SHARDS, ids=", ".join)
def test_has_the_known_number_of_parameters(names: list[str], warm: Warm) -> None:
    sizes = [SIZES[name] for name in names]
    ran = subprocess.run(
        [warm("jax"), "-c", SCRIPT, json.dumps([asked(size) for size in sizes])],
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "PYTHONPATH": os.pathsep.join(str(GOLDENS / size.golden) for size in sizes),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    counted = dict(zip(names, map(int, ran.stdout.split()), strict=True))
    assert counted == {name: SIZES[name].parameters for name in names}
