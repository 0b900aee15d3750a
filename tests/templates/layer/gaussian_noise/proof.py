"""What proves the template `gaussian_noise`."""

from __future__ import annotations

from random import Random

import numpy as np

from proofs import Call, DropIn, Proof


def draw(pick: Random) -> Call:
    shape = [pick.randint(1, 4) for _ in range(pick.randint(1, 4))]
    arguments = {
        "stddev": pick.choice([0, 0.0, 0.3, 1, 1.0, -0.1, 1.1]),
        "seed": pick.choice([0, 7, 12345]),
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16"]),
    }
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    return Call(arguments, x, {"training": pick.choice([True, True, True, False, None])})


PROOF = Proof(
    goldens={
        "gaussian_noise": ["MyGaussianNoise"],
        "gaussian_noise_with_attributes": [
            "GentleNoise",
            *("stddev=0.01", "seed=7", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    drop_ins=[
        DropIn(
            golden="gaussian_noise",
            name="MyGaussianNoise",
            builtin="GaussianNoise",
            draw=draw,
            plain={"stddev": 0.5},
            refused={"stddev": [-0.1, 1.1], "seed": ["a", 2.5], "unknown": [1]},
            speed=lambda: Call(
                {"stddev": 0.5, "seed": 0}, np.ones((256, 1024), "float32"), {"training": True}
            ),
        ),
    ],
)
