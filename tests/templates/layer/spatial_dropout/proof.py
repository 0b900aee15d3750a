"""What proves the template `spatial_dropout`."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from proofs import Call, DropIn, Proof

SIZES = {1: (32, 64, 64), 2: (16, 32, 32, 32), 3: (8, 12, 12, 12, 16)}


def drop_in(rank: int) -> DropIn:
    def draw(pick: Random) -> Call:
        arguments: dict[str, Any] = {
            "rate": pick.choice([0.0, 0.3, 0.5]),
            "seed": pick.randint(0, 9),
        }
        if rank > 1 and pick.random() < 0.7:
            arguments["data_format"] = pick.choice(["channels_last", "channels_first"])
        shape = [pick.randint(1, 4) for _ in range(rank + 2)]
        inputs = np.random.default_rng(0).normal(size=shape).astype("float32")
        return Call(arguments, inputs, {"training": pick.random() < 0.7})

    return DropIn(
        golden=f"spatial_dropout{rank}d",
        name=f"MySpatialDropout{rank}D",
        builtin=f"SpatialDropout{rank}D",
        draw=draw,
        plain={"rate": 0.5},
        refused={"rate": [-0.1, 1.1]},
        speed=lambda: Call({"rate": 0.5}, np.ones(SIZES[rank], "float32"), {"training": True}),
        left_out=("name", "dtype"),  # Ours takes these two, and `trainable`, among the `kwargs`.
        added=("kwargs",),
        cases=20,
    )


PROOF = Proof(
    goldens={
        "spatial_dropout1d": ["MySpatialDropout1D"],
        "spatial_dropout2d": ["MySpatialDropout2D"],
        "spatial_dropout3d": ["MySpatialDropout3D"],
        "spatial_dropout_with_attributes": [
            "ChannelSpatialDropout",
            *("rate=0.2", "data_format=channels_first", "seed=7"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    drop_ins=[drop_in(rank) for rank in SIZES],
)
