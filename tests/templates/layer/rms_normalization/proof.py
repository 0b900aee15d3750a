"""What proves the template `rms_normalization`."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from proofs import Call, DropIn, Proof


def draw(pick: Random) -> Call:
    shape = [pick.randint(1, 6) for _ in range(pick.randint(3, 4))]
    arguments = {
        "axis": pick.choice(axes(len(shape))),
        "epsilon": pick.choice([1e-3, 1e-6, 0.5]),
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16", "bfloat16"]),
    }
    return Call(arguments, np.random.default_rng(0).normal(1, 2, shape).astype("float32"))


def axes(rank: int) -> list[Any]:
    """Axes that Keras can do with: the last ones only."""
    return [-1, rank - 1, [-1], [rank - 1], [-2, -1], [rank - 1, rank - 2]]


PROOF = Proof(
    goldens={
        "rms_normalization": ["MyRMSNormalization"],
        "rms_normalization_with_attributes": [
            "GainedRMSNorm",
            *("axis=1", "epsilon=1e-5"),
            *("gain:float=1.0{>0}", "noise_seed:seed=7"),
        ],
    },
    drop_ins=[
        DropIn(
            golden="rms_normalization",
            name="MyRMSNormalization",
            builtin="RMSNormalization",
            draw=draw,
            plain={},
            refused={
                "unknown": [1],
            },
            speed=lambda: Call({}, np.ones((256, 64, 512), "float32")),
        ),
    ],
)
