"""Agreement: one set of weights gives one result on every backend."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scaffold.conformance.finding import Finding
from scaffold.conformance.lazy import np
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.subject import Subject, arrays, differ


@register(
    needs=(
        "tensors-not-branched-on",
        "portable-ops",
        "inference-repeats",
    ),
    tag="backend-dependent",
)
def backends_agree(subject: Subject) -> Iterator[Finding]:
    """With the same weights and inputs, all backends give the same outputs.

    A saved model is often used on a different backend from the one that trained it. An operation
    that rounds, wraps or casts differently there silently gives different numbers.
    `scaffold check --backend all` runs this check.

    Fix: use `keras.ops` with explicit dtypes; avoid what backends leave undefined, such as integer
    division by zero, out-of-range indices and 64-bit integers.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Bucket(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def call(self, inputs):
        -         width = 2 if keras.backend.backend() == "jax" else 3
        -         return ops.floor(inputs / width)
        +         return ops.floor(inputs / 2)

              def compute_output_shape(self, input_shape):
                  return input_shape
    """
    if subject.exchange is None:
        raise NotApplicable("only one backend is checked; `--backend all` compares them")
    layer = subject.build()
    _give_known_values(layer)
    outputs = subject.outputs(layer)
    weights = [np.asarray(weight.shape) for weight in layer.weights]
    folder = _folder(subject)
    for path in sorted(folder.glob("*.npz")):
        theirs, shapes = _load(path)
        problem = differ(shapes, weights) and "weights of different shapes"
        if problem := problem or differ(theirs, outputs, 1e-3):
            where = subject.source.where("call")
            yield Finding(f"the outputs of the {path.stem} backend", problem, where)
    _save(folder / f"{subject.backend}.npz", outputs, weights)


def _give_known_values(layer: Any) -> None:
    """Set all weights to values that depend only on their order and shape."""
    random = np.random.default_rng(0)
    for weight, value in zip(layer.weights, arrays(layer.weights), strict=True):
        noise = random.normal(scale=0.2, size=value.shape)
        if value.dtype.kind == "f":
            constant = value.size > 0 and value.min() == value.max()
            weight.assign(value + abs(noise) if constant else noise)


def _folder(subject: Subject) -> Path:
    assert subject.exchange is not None
    key = hashlib.sha256(f"{subject.name} {subject.case}".encode()).hexdigest()[:16]
    folder = subject.exchange / f"exchange-{key}"
    folder.mkdir(exist_ok=True)
    return folder


def _save(path: Path, outputs: list[Any], weights: list[Any]) -> None:
    named = {f"o{i}": array for i, array in enumerate(outputs)}
    np.savez(path, **named, **{f"w{i}": array for i, array in enumerate(weights)})


def _load(path: Path) -> tuple[list[Any], list[Any]]:
    with np.load(path, allow_pickle=False) as stored:
        names = list(stored.files)
        outputs = [stored[name] for name in names if name.startswith("o")]
        return outputs, [stored[name] for name in names if name.startswith("w")]
