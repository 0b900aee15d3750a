"""What proves the template `leaky_relu`."""

from __future__ import annotations

from random import Random

import numpy as np

from proofs import Call, DropIn, Proof


def draw(pick: Random) -> Call:
    arguments = {
        "negative_slope": pick.choice([0, 0.0, 0.1, 1, 3.5, -0.1, None]),
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16"]),
    }
    shape = [pick.randint(1, 4) for _ in range(pick.randint(1, 4))]
    return Call(arguments, np.random.default_rng(0).normal(size=shape).astype("float32"))


PROOF = Proof(
    goldens={
        "leaky_relu": ["MyLeakyReLU"],
        "leaky_relu_with_attributes": [
            "GentleLeakyReLU",
            *("negative_slope=0.01", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    drop_ins=[
        DropIn(
            golden="leaky_relu",
            name="MyLeakyReLU",
            builtin="LeakyReLU",
            draw=draw,
            plain={},
            refused={"negative_slope": [-0.1, None], "unknown": [1]},
            speed=lambda: Call({}, np.ones((256, 1024), "float32")),
        ),
    ],
)
