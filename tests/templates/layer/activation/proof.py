"""What proves the template `activation`."""

from __future__ import annotations

from random import Random

import numpy as np

from proofs import Call, DropIn, Proof


def draw(pick: Random) -> Call:
    arguments = {
        "activation": pick.choice(["relu", "tanh", "softmax", "gelu", "linear", None]),
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16"]),
    }
    shape = [pick.randint(1, 4) for _ in range(pick.randint(2, 4))]
    return Call(arguments, np.random.default_rng(0).normal(size=shape).astype("float32"))


PROOF = Proof(
    goldens={
        "activation": ["MyActivation"],
        "activation_with_attributes": [
            "GentleActivation",
            *("activation=gelu", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    drop_ins=[
        DropIn(
            golden="activation",
            name="MyActivation",
            builtin="Activation",
            draw=draw,
            plain={"activation": "relu"},
            refused={"activation": ["reluu", 3], "unknown": [1]},
            speed=lambda: Call({"activation": "silu"}, np.ones((256, 1024), "float32")),
        ),
    ],
)
