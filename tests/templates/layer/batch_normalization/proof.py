"""What proves the template `batch_normalization`."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from proofs import Call, DropIn, Proof


def draw(pick: Random) -> Call:
    import keras

    arguments = {
        "axis": pick.choice([-1, 1, -2]),
        "momentum": pick.choice([0.99, 0.5, 0.0]),
        "epsilon": pick.choice([1e-3, 1e-6, 0.5]),
        "center": pick.random() < 0.7,
        "scale": pick.random() < 0.7,
        "beta_initializer": "random_normal",
        "gamma_initializer": "random_normal",
        "trainable": pick.random() < 0.8,
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16", "bfloat16"]),
    }
    shape = [pick.randint(2, 6) for _ in range(pick.randint(2, 4))]
    rng = np.random.default_rng(0)
    call: dict[str, Any] = {"training": pick.choice([True, True, False, None])}
    if pick.random() < 0.5:
        rank = len(shape) - pick.choice([1, 1, 1, 2])
        call["mask"] = keras.ops.convert_to_tensor(rng.random(shape[:rank]) < 0.7)
    return Call(arguments, rng.normal(1, 2, shape).astype("float32"), call)


PROOF = Proof(
    goldens={
        "batch_normalization": ["MyBatchNormalization"],
        "batch_normalization_with_attributes": [
            "GainedBatchNorm",
            *("axis=1", "momentum=0.9", "epsilon=1e-5", "scale=no", "beta_initializer=he_normal"),
            *("beta_regularizer=l2", "gain:float=1.0{>0}", "noise_seed:seed=7"),
        ],
    },
    drop_ins=[
        DropIn(
            golden="batch_normalization",
            name="MyBatchNormalization",
            builtin="BatchNormalization",
            draw=draw,
            plain={},
            refused={
                "axis": ["a", None, [1, 2]],
                "momentum": ["a", None],
                "epsilon": ["a", None],
                "gamma_initializer": ["nonsense"],
                "moving_mean_initializer": ["nonsense"],
                "beta_constraint": ["nonsense"],
                "unknown": [1],
            },
            speed=lambda: Call({}, np.ones((64, 32, 32, 64), "float32")),
            left_out=("renorm", "renorm_clipping", "renorm_momentum", "synchronized"),
        ),
    ],
)
