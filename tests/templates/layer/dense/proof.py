"""What proves the template `dense`."""

from __future__ import annotations

from random import Random

import numpy as np

from proofs import Call, DropIn, Proof


def draw(pick: Random) -> Call:
    arguments = {
        "units": pick.randint(1, 5),
        "activation": pick.choice([None, "relu", "tanh"]),
        "use_bias": pick.random() < 0.7,
        "bias_initializer": "random_normal",
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16", "bfloat16"]),
    }
    shape = [pick.randint(1, 4) for _ in range(pick.randint(1, 4))]
    return Call(arguments, np.random.default_rng(0).normal(size=shape).astype("float32"))


PROOF = Proof(
    goldens={
        "dense": ["MyDense"],
        "dense_with_attributes": [
            "GatedDense",
            *("units=32", "activation=relu", "use_bias=no", "kernel_initializer=he_normal"),
            *("bias_regularizer=l2", "gain:float=1.0{>0}", "x:layer=None", "noise_seed:seed=7"),
        ],
    },
    drop_ins=[
        DropIn(
            golden="dense",
            name="MyDense",
            builtin="Dense",
            draw=draw,
            plain={"units": 2},
            refused={
                "units": [0, -1, 2.5, "a", None],
                "activation": ["nonsense"],
                "kernel_initializer": ["nonsense"],
                "bias_constraint": ["nonsense"],
                "unknown": [1],
            },
            speed=lambda: Call({"units": 512}, np.ones((256, 512), "float32")),
            left_out=("lora_rank", "lora_alpha", "quantization_config"),
        ),
    ],
)
