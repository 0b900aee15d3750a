"""Weights follow the data flow, and those of known models fit.

`test_model_styles` compares the order of the other styles with that of the first, tested here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from goldens import GOLDENS, ROOT, commands, spec_of
from model_page import PAGE
from proofs import proofs
from scaffold.conformance.backends import BACKENDS
from scaffold.generation.catalog import Catalog

SCRIPT = """
import importlib, json, sys
import keras
from scaffold.cases import case_from
from scaffold.conformance.subject import Subject

called, plain_call = [], keras.layers.Layer.__call__


def noted_call(layer, *arguments, **named):
    called.append(layer.path)
    return plain_call(layer, *arguments, **named)


orders = {}
for golden, module, name, data in json.loads(sys.argv[1]):
    subject = Subject(getattr(importlib.import_module(module), name), case_from(data))
    model = subject.build()
    called.clear()
    keras.layers.Layer.__call__ = noted_call
    subject.call(model)
    keras.layers.Layer.__call__ = plain_call
    # A layer that is not called, such as an LSTM's cell, counts as its parent.
    owners = [
        max((path for path in called if weight.path.startswith(f"{path}/")), key=len)
        for weight in model.weights
    ]
    kept = [*dict.fromkeys(owners)]
    orders[golden] = kept, [path for path in dict.fromkeys(called) if path in kept]
print(json.dumps(orders))
"""


def cases() -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    """Yield each golden except graphs: its module, its class and the inputs of its template."""
    for golden in (name for name in commands("model") if not name.startswith("composed")):
        spec = spec_of(golden)
        found = Catalog.builtin().get("model", spec.template).cases_for(spec.options)
        if found and spec.options["style"] != "functional":
            yield golden, spec.module, spec.name, found[0]


def test_weights_come_in_the_order_of_use() -> None:
    asked = list(cases())
    folders = [str(GOLDENS / golden) for golden, *_ in asked]
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(asked)],
        env={
            **os.environ,
            "KERAS_BACKEND": "torch",
            "PYTHONPATH": os.pathsep.join([*folders, str(ROOT)]),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    orders = json.loads(ran.stdout.splitlines()[-1])
    assert {golden: kept for golden, (kept, _) in orders.items()} == {
        golden: used for golden, (_, used) in orders.items()
    }
    assert {spec_of(golden).template for golden in orders} == {*proofs("model")} - {"composed"}


# The known model, the generated one of the same sizes, the inputs, and the expected outputs.
KNOWN = {
    "mobilenet": """
known = keras.applications.MobileNetV2(
    weights=None, alpha=0.35, input_shape=(35, 48, 3), classes=5, classifier_activation=None
)
model = MyMobileNet(5, alpha=0.35, data_format="channels_last")
x = rng.normal(size=(2, 35, 48, 3)).astype("float32")
expected = lambda: known(x, training=False)
""",
    "gpt": """
known = keras_hub.models.GPT2Backbone(11, 2, 2, 8, 12, max_sequence_length=7)
model = MyGPT(11, sequence_length=7, hidden_dim=8, num_layers=2, num_heads=2, intermediate_dim=12)
x = rng.integers(11, size=(3, 5)).astype("int32")
expected = lambda: known.token_embedding(
    known({"token_ids": x, "padding_mask": np.ones_like(x)}, training=False), reverse=True
)
""",
    "vit": """
known = keras_hub.models.ViTBackbone((8, 12, 3), 4, 2, 2, 8, 16, data_format="channels_last")
model = MyViT(5, patch_size=4, num_layers=2, hidden_dim=8, num_heads=2, mlp_dim=16)
x = rng.normal(size=(3, 8, 12, 3)).astype("float32")
expected = lambda: model.head(known(x, training=False)[:, 0])
""",
    "resnet": """
known = keras_hub.models.ResNetBackbone(
    [64], [7], [64, 8], [1, 2], [1, 2], "basic_block", data_format="channels_last"
)
model = MyResNet(5, filters=(64, 8), num_blocks=(1, 2), data_format="channels_last")
x = rng.normal(size=(2, 32, 63, 3)).astype("float32")
expected = lambda: model.head(keras.ops.mean(known(x, training=False), axis=(1, 2)))
""",
    "resnet_bottleneck": """
known = keras_hub.models.ResNetBackbone(
    [64], [7], [64, 8], [1, 2], [1, 2], "bottleneck_block", data_format="channels_last"
)
model = BottleneckResNet(5, filters=(64, 8), num_blocks=(1, 2), data_format="channels_last")
x = rng.normal(size=(2, 32, 63, 3)).astype("float32")
expected = lambda: model.head(keras.ops.mean(known(x, training=False), axis=(1, 2)))
""",
}
IMPORTS = """
import keras
import keras_hub
import numpy as np

rng = np.random.default_rng(0)
"""
COMPARED = """
def array(tensor):
    return keras.ops.convert_to_numpy(tensor)


# The variances are positive, and all weights differ, to reveal a wrong order.
model(x)
for weight in [*known.weights, *model.weights]:
    low = 0.5 if weight.name == "moving_variance" else -0.4
    weight.assign(rng.uniform(low, 0.8, weight.shape))
exec(mapping, {"known": known, "model": model})
outputs = array(model(x, training=False))
assert np.ptp(outputs) > 0.1
np.testing.assert_allclose(outputs, array(expected()), rtol=1e-4, atol=1e-4)
"""


def mapping_of(template: str) -> str:
    """Return the lines of docs/models.md that transfer the weights of the known model."""
    found = re.findall(rf"```python\n# {template}\b(.*?)```", PAGE.read_text("utf-8"), re.S)
    assert len(found) == 1
    return f"#{found[0]}"


@pytest.mark.parametrize(("turn", "backend"), list(enumerate(BACKENDS)), ids=BACKENDS)
def test_weights_of_a_known_model_give_its_outputs(turn: int, backend: str) -> None:
    script, goldens = [IMPORTS], list(KNOWN)[turn::3]
    for golden in goldens:
        spec = spec_of(golden)
        script += [
            f"from {spec.module} import {spec.name}",
            KNOWN[golden],
            f"mapping = {mapping_of(spec.template)!r}",
            COMPARED,
        ]
    ran = subprocess.run(
        [sys.executable, "-c", "\n".join(script)],
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "PYTHONPATH": os.pathsep.join(str(GOLDENS / golden) for golden in goldens),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
