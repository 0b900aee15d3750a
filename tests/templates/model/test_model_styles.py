"""The same weights, in the same order, in each style of a template give the same outputs.

A graph can be drawn.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from conftest import Warm
from goldens import ROOT, generate
from scaffold.conformance.backends import BACKENDS
from scaffold.generation.catalog import Catalog

SCRIPT = """
import importlib, json, sys
import keras
import numpy as np
from scaffold.cases import case_from
from scaffold.conformance.subject import Subject

outputs, first = [], {}
for module, name, data in json.loads(sys.argv[1]):
    subject = Subject(getattr(importlib.import_module(module), name), case_from(data))
    model = subject.make(name="model")
    subject.call(model)
    named = {weight.path.removeprefix("model/"): weight for weight in model.weights}
    assert len(named) == len(model.weights), sorted(named)
    rng = np.random.default_rng(0)
    first = first or {path: rng.uniform(0.1, 0.5, weight.shape) for path, weight in named.items()}
    assert [*named] == [*first], [*named]
    for path, weight in named.items():
        weight.assign(first[path])
    outputs.append(subject.outputs(model))
    lines = []
    model.summary(print_fn=lines.append, line_length=200)
    assert all(layer.name in lines[0] for layer in model.layers), lines
    if name.startswith(("Functional", "Sequential")):
        drawn = keras.utils.model_to_dot(model, show_shapes=True).to_string()
        assert all(layer.name in drawn for layer in model.layers), drawn
        inner = keras.Model(model.inputs, [layer.output for layer in model.layers])
        assert len(inner.outputs) == len(model.layers)
one, *others = outputs
for other in others:
    for expected, got in zip(one, other, strict=True):
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)
print(len(others))
"""
CATALOG = Catalog.builtin()
STYLES = {
    template.name: [str(value) for value in option.values]
    for template in CATALOG.templates("model")
    for option in template.options
    if option.name == "style"
}


@pytest.mark.parametrize(("number", "template"), list(enumerate(STYLES)), ids=[*STYLES])
def test_gives_the_same_outputs(number: int, template: str, warm: Warm, tmp_path: Path) -> None:
    classes, inputs = [], None
    for style in STYLES[template]:
        name = f"{style.capitalize()}Form"
        generate(["model", name, f"--template={template}", f"--style={style}"], tmp_path)
        found = CATALOG.get("model", template)
        case, *_ = found.cases_for(found.options_with({"style": style}))
        inputs = inputs or case["input"]  # Every style accepts what one accepts.
        classes.append((f"{style}_form", name, {**case, "input": inputs}))
    backend = BACKENDS[number % 3]
    ran = subprocess.run(
        [warm(backend), "-c", SCRIPT, json.dumps(classes)],
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == [str(len(STYLES[template]) - 1)]
