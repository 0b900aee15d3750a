"""Exported models give the same outputs without their classes, in the runtime of each format.

Each template is exported on one backend, in turn, in every format that the backend supports; with
`--every-backend`, on all of them. The exported batch size is dynamic, and the model runs with a
different one than before. The limits of the converters are listed below, and must still apply.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from goldens import COMMANDS, GOLDENS, first_goldens
from scaffold.conformance.backends import BACKENDS

# The formats, with their file extensions; Torch's own is only for that backend.
FORMATS = {"tf_saved_model": "", "litert": ".tflite", "onnx": ".onnx", "torch": ".pt2"}
# The formats that a backend doesn't support, with part of Keras's message.
NOT_OFFERED = {
    ("jax", "litert"): "requires TensorFlow or PyTorch backend",
    # torch_xla is at 2.9, for Torch 2.9: it can't be imported with another version.
    ("torch", "tf_saved_model"): "torch_xla",
    # litert-torch needs typing-extensions below 4.13, and Selenium 4.15 or newer. Without Selenium,
    # 19 of 23 models give the same outputs with a fixed batch; the others mix int32 with int64.
    ("torch", "litert"): "litert-torch",
}
# For each golden, the error with a dynamic batch size, and that with a fixed one: part of a
# message, or nothing.
Limits = Mapping[str, tuple[str, str]]
# tf2onnx 1.17 doesn't support `Erfc`, which TensorFlow uses for the exact GELU.
_ERFC = ("Erfc", "Erfc")
# The `arange` of jax2onnx 0.17 doesn't accept `None`, which Keras passes.
_ARANGE = ("jax.numpy.arange", "jax.numpy.arange")
# jax2onnx exports pooling over two axes as pooling over four.
_POOLING = ("Unsupported pooling size", "Unsupported pooling size")
# Torch's converter for dynamic batches needs the static shape of a layer normalization.
_NORMALIZATION = ("it is not constant", "")
LIMITS: Mapping[tuple[str, str], Limits] = {
    # These need TensorFlow operations that the interpreter doesn't have.
    ("tensorflow", "litert"): dict.fromkeys(("gan", "rnn"), ("Select TensorFlow op", "")),
    ("tensorflow", "onnx"): dict.fromkeys(
        ("mixer", "seq2seq", "transformer_classifier", "vit"), _ERFC
    ),
    ("jax", "onnx"): {
        **dict.fromkeys(("cnn", "composed", "resnet", "unet"), _POOLING),
        **dict.fromkeys(("gpt", "seq2seq", "transformer_classifier"), _ARANGE),
        "diffusion": ("reshape with symbolic dimensions", ""),
    },
    ("torch", "onnx"): {
        **dict.fromkeys(
            ("gpt", "mixer", "seq2seq", "tabular_transformer", "transformer_classifier", "vit"),
            _NORMALIZATION,
        ),
        # The converter for fixed batches writes a squeeze that ONNX Runtime can't load.
        "diffusion": ("aten::ravel", "ShapeInferenceError"),
    },
    # Keras's `repeat` needs a static number of repeats.
    ("torch", "torch"): {"vit": ("Constraints violated (batch)", "")},
}
EXPORT = """
import importlib, json, pickle, sys
from pathlib import Path
import keras
import numpy as np
from scaffold.conformance.finding_cases import cases_of
from scaffold.conformance.subject import Subject

format, suffix, tasks = json.loads(sys.argv[1])


def signature(inputs, fixed):
    return keras.tree.map_structure(
        lambda x: keras.layers.InputSpec(x.dtype.name, (len(x) if fixed else None, *x.shape[1:])),
        inputs,
    )


def further(inputs, fixed):
    if format != "torch" or fixed:
        return {}
    import torch

    batch = {0: torch.export.Dim("batch")}
    return {"dynamic_shapes": ((keras.tree.map_structure(lambda _: batch, inputs),),)}


def flat(outputs):
    # Torch's converter keeps the order of a dict, the others sort its keys.
    if format == "onnx" and keras.backend.backend() == "torch" and isinstance(outputs, dict):
        return list(outputs.values())
    return keras.tree.flatten(outputs)


failed = {}
keras.utils.set_random_seed(0)
for golden, module, name, fixed in tasks:
    cls = getattr(importlib.import_module(module), name)
    case, _ = next(iter(cases_of(cls, {}, Path.cwd())))
    subject = Subject(cls, case)
    model, data = subject.build(), subject.data(batch=subject.batch + 3)
    # Weights initialized with 0 would hide errors in the others.
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(weight + rng.uniform(0, 0.1, weight.shape).astype("float32"))
    outputs = flat(model(subject.tensors(data).inputs, training=False))
    given = data.inputs, [keras.ops.convert_to_numpy(output) for output in outputs]
    file = f"{golden}-{fixed}"
    Path(f"{file}.pickle").write_bytes(pickle.dumps(given))
    specs = [signature(data.inputs, fixed)]
    try:
        model.export(
            file + suffix,
            format,
            verbose=False,
            input_signature=specs,
            **further(data.inputs, fixed),
        )
    except Exception as error:
        failed[file] = f"{type(error).__name__}: {error}"
print(json.dumps(failed))
"""
RUN = """
import json, pickle, sys
from pathlib import Path
import numpy as np

format, suffix, files = json.loads(sys.argv[1])


def flat(inputs):
    if isinstance(inputs, dict):
        return [inputs[name] for name in sorted(inputs)]
    return inputs if isinstance(inputs, list | tuple) else [inputs]


def tf_saved_model(path, inputs):
    import tensorflow as tf

    loaded = tf.saved_model.load(path)  # Its functions don't keep it alive.
    return tf.nest.flatten(loaded.serve(inputs))


def litert(path, inputs):
    import tensorflow as tf

    run = tf.lite.Interpreter(path).get_signature_runner()
    outputs = run(**dict(zip(run.get_input_details(), flat(inputs), strict=True)))
    return [outputs[name] for name in sorted(outputs)]


def onnx(path, inputs):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    names = [one.name for one in session.get_inputs()]
    return session.run(None, dict(zip(names, flat(inputs), strict=True)))


def torch(path, inputs):
    import torch

    tensors = torch.utils._pytree.tree_map(torch.as_tensor, inputs)
    outputs = flat(torch.export.load(path).module()(tensors))
    return [output.detach().numpy() for output in outputs]


found = {}
for file in files:
    inputs, expected = pickle.loads(Path(f"{file}.pickle").read_bytes())
    try:
        outputs = globals()[format](file + suffix, inputs)
        for one, other in zip(outputs, expected, strict=True):
            # Summing in another order causes relative differences of up to 1e-5, over many weights.
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-4 * np.abs(other).max())
    except Exception as error:
        found[file] = f"{type(error).__name__}: {error}"
print(json.dumps(found))
"""


def model_of(golden: str) -> tuple[str, str]:
    """Return the module and the name of the golden's class."""
    (script,) = (GOLDENS / golden).glob("train_*.py")
    return script.stem.removeprefix("train_"), COMMANDS[golden][1]


def exported(backend: str, kind: str, files: Sequence[tuple[str, str]], folder: Path) -> list[str]:
    """Export each model in one process, run it in another, and return the errors.

    Args:
        backend: The backend.
        kind: The format.
        files: Each golden, with a non-empty string if its batch is fixed.
        folder: The output folder.
    """
    path = os.environ.get("PYTHONPATH", "")
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}

    def ran(script: str, tasks: Sequence[object], *modules: str) -> dict[str, str]:
        process = subprocess.run(
            [sys.executable, "-c", script, json.dumps([kind, FORMATS[kind], tasks])],
            cwd=folder,
            env={**environment, "PYTHONPATH": os.pathsep.join([*modules, path])},
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        answer: dict[str, str] = json.loads(process.stdout.splitlines()[-1])
        return answer

    names = [f"{golden}-{fixed}" for golden, fixed in files]
    tasks = [(golden, *model_of(golden), fixed) for golden, fixed in files]
    failed = ran(EXPORT, tasks, *{str(GOLDENS / golden) for golden, _ in files})
    made = [name for name in names if name not in failed]
    failed |= ran(RUN, made) if made else {}
    return [failed.get(name, "") for name in names]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "goldens" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-backend")
        needs_jax2onnx = pytest.mark.skipif(
            find_spec("jax2onnx") is None,
            reason="needs jax2onnx, which brings Flax, Orbax and thirty packages more",
        )
        cases = [
            pytest.param(
                *(backend, kind, first_goldens() if every else first_goldens()[turn::3]),
                marks=[needs_jax2onnx] if (backend, kind) == ("jax", "onnx") else [],
                id=f"{backend}-{kind}",
            )
            for turn, backend in enumerate(BACKENDS)
            for kind in FORMATS
            if (backend, kind) not in NOT_OFFERED and (kind != "torch" or backend == "torch")
        ]
        metafunc.parametrize(("backend", "kind", "goldens"), cases)


def files_of(goldens: list[str], **_: str) -> list[Path]:
    return [GOLDENS / golden for golden in goldens]


@pytest.mark.proof("tests/support/goldens.py", files_of)
def test_gives_the_same_outputs(
    backend: str, kind: str, goldens: list[str], tmp_path: Path
) -> None:
    limits = LIMITS.get((backend, kind), {})
    # Use a fixed batch if a dynamic one fails.
    files = [(golden, "") for golden in goldens] + [(g, "fixed") for g in goldens if g in limits]
    found = dict(zip(files, exported(backend, kind, files, tmp_path), strict=True))
    known = {file: limits.get(file[0], ("", ""))[bool(file[1])] for file in files}
    wrong = {
        file: problem
        for file, problem in found.items()
        if bool(problem) != bool(known[file]) or known[file] not in problem
    }
    assert wrong == {}


@pytest.mark.parametrize(("backend", "kind"), NOT_OFFERED)
def test_is_not_supported(backend: str, kind: str, tmp_path: Path) -> None:
    (problem,) = exported(backend, kind, [("mlp", "fixed")], tmp_path)
    assert NOT_OFFERED[backend, kind] in problem


def test_every_limit_is_of_a_golden() -> None:
    assert {golden for limits in LIMITS.values() for golden in limits} <= set(first_goldens())
    assert not LIMITS.keys() & NOT_OFFERED.keys()
