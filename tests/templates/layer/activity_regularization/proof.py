"""What proves the template `activity_regularization`."""

from __future__ import annotations

from random import Random

import numpy as np

from proofs import Call, DropIn, Proof


def draw(pick: Random) -> Call:
    arguments = {
        "l1": pick.choice([0.0, 0.5, 2]),
        "l2": pick.choice([0.0, 0.25, 3]),
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16"]),
    }
    shape = [pick.randint(1, 4) for _ in range(pick.randint(1, 4))]
    return Call(arguments, np.random.default_rng(0).normal(size=shape).astype("float32"))


PROOF = Proof(
    goldens={
        "activity_regularization": ["MyActivityRegularization"],
        "activity_regularization_with_attributes": [
            "GatedActivityRegularization",
            *("l1=0.01", "gain:float=1.0{>0}", "mode:enum(sum,mean)=sum"),
        ],
    },
    drop_ins=[
        DropIn(
            golden="activity_regularization",
            name="MyActivityRegularization",
            builtin="ActivityRegularization",
            draw=draw,
            plain={},
            refused={"l1": [-1.0, "a"], "l2": [-0.5, "a"], "unknown": [1]},
            speed=lambda: Call({"l1": 0.1, "l2": 0.1}, np.ones((256, 512), "float32")),
        ),
    ],
)
