"""Export of a trained model to a runtime without Keras, with a check of its outputs."""

from __future__ import annotations

from pathlib import Path

import click
import keras
import numpy as np
{%- if cookiecutter.backend == "torch" %}
import torch
{%- elif cookiecutter.backend == "tensorflow" %}
import tensorflow as tf
{%- endif %}

from {{ cookiecutter.package }}.data import load_data
from {{ cookiecutter.package }}.evaluation import load_model

{% if cookiecutter.backend == "tensorflow" -%}
FILES = {"tf_saved_model": "saved_model", "litert": "model.tflite", "onnx": "model.onnx"}
{%- elif cookiecutter.backend == "jax" -%}
FILES = {"tf_saved_model": "saved_model"}
{%- else -%}
FILES = {"onnx": "model.onnx", "torch": "model.pt2"}
{%- endif %}
EXAMPLES = 8
TOLERANCE = 1e-4


class ExportError(click.ClickException):
    """A model that can't be exported, or has other outputs when exported."""


def export(path: Path, folder: Path, kind: str) -> tuple[Path, float]:
    """Export a model in float32, run it on the CPU, and compare the outputs.

    Args:
        path: The saved Keras model.
        folder: The output folder.
        kind: One of `FILES`.

    Returns:
        What was written, and the maximum difference of its outputs from those of Keras.

    Raises:
        ExportError: If it can't be written or converted, a package is missing, or the outputs
            differ by more than `TOLERANCE`.
    """
    images = load_data().test[0][:EXAMPLES]
    target = folder / FILES[kind]
    with keras.device("cpu"):  # A GPU would round differently.
        model = in_float32(load_model(path))
        expected = model.predict(images, verbose=0)  # Keras exports only a model that was called.
    try:
        folder.mkdir(parents=True, exist_ok=True)
        convert(model, target, kind)
        with keras.device("cpu"):
            outputs = run(target, kind, images)
    except ImportError as error:
        fix = "pip install '{{ cookiecutter.project }}[export]'"
        raise ExportError(f"{error}: {fix}") from error
    except Exception as error:  # Converters raise errors of any kind.
        reason, *_ = str(error).strip().partition("\n")
        raise ExportError(
            f"{path} can't be exported to {target}: {type(error).__name__}: {reason}"
        ) from error
    difference = float(np.abs(outputs - expected).max())
    if not difference <= TOLERANCE:
        raise ExportError(f"outputs of {target} differ from those of {path} by {difference:.1e}")
    return target, difference


def in_float32(model: keras.Model) -> keras.Model:
    """Return the model with its computations in float32, like its weights."""
    if model.dtype_policy.name == "float32":
        return model
    other = type(model).from_config({**model.get_config(), "dtype": "float32"})
    other.set_weights(model.get_weights())
    return other


def convert(model: keras.Model, target: Path, kind: str) -> None:
    """Write a model in another format."""
    {%- if cookiecutter.backend == "torch" %}
    with keras.device("cpu"):  # A model traced on a GPU runs only on a GPU.
        if kind == "torch":
            batch = {0: torch.export.Dim("batch")}
            model.export(target, kind, verbose=False, dynamic_shapes=((batch,),))
        else:
            model.export(target, kind, verbose=False)
    {%- elif cookiecutter.backend == "jax" %}
    # By default, JAX lowers only for the platform of this machine.
    platforms = {"native_serialization_platforms": ("cpu", "cuda")}
    model.export(target, kind, verbose=False, jax2tf_kwargs=platforms)
    {%- else %}
    model.export(target, kind, verbose=False)
    {%- endif %}


def run(target: Path, kind: str, images: np.ndarray) -> np.ndarray:
    """Run an exported model with the runtime of its format."""
    {%- if cookiecutter.backend == "jax" %}
    import tensorflow as tf

    loaded = tf.saved_model.load(target)  # Its functions do not keep it alive.
    return loaded.serve(images).numpy()
    {%- endif %}
    {%- if cookiecutter.backend == "tensorflow" %}
    if kind == "tf_saved_model":
        loaded = tf.saved_model.load(target)  # Its functions do not keep it alive.
        return loaded.serve(images).numpy()
    {%- endif %}
    {%- if cookiecutter.backend == "tensorflow" %}
    if kind == "litert":
        from ai_edge_litert.interpreter import Interpreter

        runner = Interpreter(str(target)).get_signature_runner()
        (name,) = runner.get_input_details()
        (outputs,) = runner(**{name: images}).values()
        return outputs
    {%- endif %}
    {%- if cookiecutter.backend == "torch" %}
    if kind == "torch":
        return torch.export.load(target).module()(torch.as_tensor(images)).detach().numpy()
    {%- endif %}
    {%- if cookiecutter.backend != "jax" %}
    import onnxruntime

    session = onnxruntime.InferenceSession(target)
    (outputs,) = session.run(None, {session.get_inputs()[0].name: images})
    return outputs
    {%- endif %}
