"""What proves the template `group_normalization`."""

from __future__ import annotations

from random import Random

import numpy as np

from proofs import Call, DropIn, Proof


def draw(pick: Random) -> Call:
    arguments = {
        "groups": pick.choice([1, 2, 3, 4, -1, 0]),
        "axis": pick.choice([-1, 1, -2, 2]),
        "epsilon": pick.choice([1e-3, 1e-6, 0.5]),
        "center": pick.random() < 0.7,
        "scale": pick.random() < 0.7,
        "beta_initializer": "random_normal",
        "gamma_initializer": "random_normal",
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16", "bfloat16"]),
    }
    shape = [2, *(pick.choice([2, 4, 6]) for _ in range(pick.randint(2, 3)))]
    return Call(arguments, np.random.default_rng(0).normal(1, 2, shape).astype("float32"))


PROOF = Proof(
    goldens={
        "group_normalization": ["MyGroupNormalization"],
        "group_normalization_with_attributes": [
            "GainedGroupNorm",
            *("groups=4", "axis=1", "epsilon=1e-5", "scale=no", "beta_initializer=he_normal"),
            *("beta_regularizer=l2", "gain:float=1.0{>0}", "noise_seed:seed=7"),
        ],
    },
    drop_ins=[
        DropIn(
            golden="group_normalization",
            name="MyGroupNormalization",
            builtin="GroupNormalization",
            draw=draw,
            plain={"groups": 2},
            refused={
                "groups": [0, -2, 2.5, "a", None],
                "gamma_initializer": ["nonsense"],
                "beta_constraint": ["nonsense"],
                "unknown": [1],
            },
            speed=lambda: Call({}, np.ones((16, 32, 32, 64), "float32")),
        ),
    ],
    judged={
        "if not -len(input_shape) <= self.axis < len(input_shape): -> if not -len(input_shape) < self.axis < len(input_shape):": "a test is missing, of the batch's axis from the end",
    },
)
