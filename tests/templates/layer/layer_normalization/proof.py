"""What proves the template `layer_normalization`."""

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
        "center": pick.random() < 0.7,
        "scale": pick.random() < 0.7,
        "beta_initializer": "random_normal",
        "gamma_initializer": "random_normal",
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16", "bfloat16"]),
    }
    return Call(arguments, np.random.default_rng(0).normal(1, 2, shape).astype("float32"))


def axes(rank: int) -> list[Any]:
    """Axes that Keras can do with: on Torch, the last ones only."""
    import keras

    last = [-1, rank - 1, [-1], (rank - 1,), [-2, -1], (rank - 1, rank - 2)]
    return last if keras.backend.backend() == "torch" else [*last, 1, -2, [0, 1], [0, 2]]


PROOF = Proof(
    goldens={
        "layer_normalization": ["MyLayerNormalization"],
        "layer_normalization_with_attributes": [
            "GainedLayerNorm",
            *("axis=1", "epsilon=1e-5", "center=no", "gamma_initializer=he_normal"),
            *("gamma_regularizer=l2", "gain:float=1.0{>0}", "noise_seed:seed=7"),
        ],
    },
    drop_ins=[
        DropIn(
            golden="layer_normalization",
            name="MyLayerNormalization",
            builtin="LayerNormalization",
            draw=draw,
            plain={},
            refused={
                "axis": [1.5, "a", None, {1}],
                "gamma_initializer": ["nonsense"],
                "beta_constraint": ["nonsense"],
                "unknown": [1],
            },
            speed=lambda: Call({}, np.ones((256, 64, 512), "float32")),
            left_out=("rms_scaling",),
        ),
    ],
)
