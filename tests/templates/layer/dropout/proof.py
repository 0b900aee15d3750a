"""What proves the template `dropout`."""

from __future__ import annotations

from random import Random

import numpy as np

from proofs import Call, DropIn, Proof


def draw(pick: Random) -> Call:
    shape = [pick.randint(1, 4) for _ in range(pick.randint(1, 4))]
    shared = [pick.choice([None, 1, size]) for size in shape]
    arguments = {
        "rate": pick.choice([0, 0.0, 0.3, 0.9, 1, 1.0, -0.1, 1.1]),
        "noise_shape": pick.choice([None, shared, tuple(shared), (0, 1), (1.5,), "12", 3]),
        "seed": pick.choice([0, 7, 12345]),
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16"]),
    }
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    return Call(arguments, x, {"training": pick.choice([True, True, True, False, None])})


PROOF = Proof(
    goldens={
        "dropout": ["MyDropout"],
        "dropout_with_attributes": [
            "StepDropout",
            *("rate=0.2", "seed=7", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    drop_ins=[
        DropIn(
            golden="dropout",
            name="MyDropout",
            builtin="Dropout",
            draw=draw,
            plain={"rate": 0.5},
            refused={
                "rate": [-0.1, 1.1],
                "noise_shape": [(2, 0), (2, -1), (2.5,), ("a",), "ab", 3],
                "seed": ["a", 2.5],
                "unknown": [1],
            },
            speed=lambda: Call(
                {"rate": 0.5, "seed": 0}, np.ones((256, 1024), "float32"), {"training": True}
            ),
            cases=60,
        ),
    ],
    judged={
        "def call(self, inputs, training=False): -> def call(self, inputs, training=True):": (
            "not run: mutmut's wrapper hands the default of the original on"
        ),
    },
)
