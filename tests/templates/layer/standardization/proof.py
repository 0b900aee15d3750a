"""What proves the template `standardization`."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from proofs import Call, DropIn, Proof


def draw(pick: Random) -> Call:
    shape = [pick.randint(1, 6) for _ in range(pick.randint(3, 4))]
    rng = np.random.default_rng(pick.randint(0, 99))
    axis = pick.choice([-1, 1, [2], (1, 2), (-1, 1), [2, -2], 0, (), None, 4, (1, -5)])
    arguments: dict[str, Any] = {
        "axis": axis,
        "invert": pick.random() < 0.5,
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16", "bfloat16"]),
    }
    if pick.random() < 0.8:
        kept = statistics_shape(pick, axis, shape)
        mean, variance = rng.normal(size=kept), rng.uniform(0.5, 2, size=kept)
        arguments["mean"] = pick.choice([mean, mean.tolist()])
        arguments["variance"] = pick.choice([variance, variance.tolist()])
    inputs = rng.normal(1, 2, shape).astype(pick.choice(["float32", "float32", "int32"]))
    return Call(arguments, inputs)


def statistics_shape(pick: Random, axis: Any, shape: list[int]) -> list[int]:
    """A shape that broadcasts to the sizes along `axis`: a number, or the last of its axes."""
    axes = sorted(i % len(shape) for i in np.atleast_1d([] if axis is None else axis).astype(int))
    sizes = [shape[i] for i in axes]
    first = pick.randint(0, len(sizes))
    return [pick.choice([1, size]) for size in sizes[first:]]


PROOF = Proof(
    goldens={
        "standardization": ["MyStandardization"],
        "standardization_with_attributes": [
            "FeatureScaler",
            *("--template=standardization", "axis=1", "mean=0.5", "variance=2", "invert=yes"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    drop_ins=[
        DropIn(
            golden="standardization",
            name="MyStandardization",
            builtin="Normalization",
            draw=draw,
            plain={},
            refused={
                "axis": [1.5],
                "mean": [1.0, [1.0]],
                "variance": [1.0, [1.0]],
                "unknown": [1],
            },
            speed=lambda: Call({"mean": 0.5, "variance": 2.0}, np.ones((256, 64, 512), "float32")),
        ),
    ],
    judged={
        'batch = ops.convert_to_numpy(batch).astype("float64") -> batch = ops.convert_to_numpy(batch).astype(None)': "NumPy's default is float64",
        "batch_count = batch.size // batch_mean.size -> batch_count = batch.size / batch_mean.size": "the one divides the other",
        "count, mean, squares = 0, 0.0, 0.0 -> count, mean, squares = 0, 1.0, 0.0": "the mean of no items has no weight",
        "data = data.batch(128) -> data = data.batch(129)": "any number will do",
        "self.input_variance = None if variance is None else np.asarray(variance) -> self.input_variance = None if (variance is None) and False else np.asarray(variance)": "it is asked for only where `mean` is given",
    },
)
