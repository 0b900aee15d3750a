"""What proves the template `prelu`."""

from __future__ import annotations

from random import Random

import numpy as np

from proofs import Call, DropIn, Proof


def draw(pick: Random) -> Call:
    shape = [pick.randint(1, 4) for _ in range(pick.randint(2, 4))]
    axes = pick.sample(range(1, len(shape)), pick.randint(0, len(shape) - 1))
    arguments = {
        "alpha_initializer": pick.choice(["random_normal", "Ones"]),
        "alpha_regularizer": pick.choice([None, "l2"]),
        "shared_axes": pick.choice([None, axes, tuple(axes), 1]),
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16"]),
    }
    return Call(arguments, np.random.default_rng(0).normal(size=shape).astype("float32"))


PROOF = Proof(
    goldens={
        "prelu": ["MyPReLU"],
        "prelu_with_attributes": [
            "ChannelPReLU",
            *("alpha_initializer=ones", "shared_axes=1", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    drop_ins=[
        DropIn(
            golden="prelu",
            name="MyPReLU",
            builtin="PReLU",
            draw=draw,
            plain={},
            refused={
                "alpha_initializer": ["nonsense"],
                "alpha_regularizer": ["nonsense"],
                "alpha_constraint": ["nonsense"],
                "unknown": [1],
            },
            speed=lambda: Call({}, np.ones((256, 1024), "float32")),
        ),
    ],
    judged={
        'alpha_initializer="Zeros", -> alpha_initializer="zeros",': (
            "another name of the same initializer"
        ),
    },
)
