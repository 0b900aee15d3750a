"""What proves the template `merge`."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from proofs import Call, DropIn, Proof


def draw_add(pick: Random) -> Call:
    shape = [pick.randint(1, 4) for _ in range(pick.randint(1, 3))]
    shapes = [
        [size if pick.random() < 0.7 else 1 for size in shape[pick.choice([0, 0, 1]) :]]
        for _ in range(pick.randint(2, 4))
    ]
    return Call(dtype(pick), arrays(pick.randint(1, 4), shapes))


def draw_concatenate(pick: Random) -> Call:
    shape = [pick.randint(1, 4) for _ in range(pick.randint(1, 3))]
    axis = pick.choice([-1, *range(1, 1 + len(shape))])
    shapes = [[*shape] for _ in range(pick.randint(1, 4))]
    for one in shapes:
        one[axis if axis < 0 else axis - 1] = pick.randint(2, 4)
    return Call({"axis": axis, **dtype(pick)}, arrays(pick.randint(2, 4), shapes))


def dtype(pick: Random) -> dict[str, Any]:
    return {"dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16"])}


def arrays(batch: int, shapes: list[list[int]]) -> list[Any]:
    random = np.random.default_rng(0)
    return [random.normal(size=(batch, *shape)).astype("float32") for shape in shapes]


def speed() -> Call:
    return Call({}, [np.ones((32, 64, 64), "float32")] * 3)


PROOF = Proof(
    goldens={
        "add": ["MyAdd"],
        "concatenate": ["MyConcatenate"],
        "gated_fusion": ["MyGatedFusion"],
        "merge_with_attributes": [
            "FancyGatedFusion",
            *("use_bias=no", "kernel_initializer=he_normal"),
            *("gain:float=1.0{>0}", "mode:enum(sum,mean)=sum"),
        ],
    },
    drop_ins=[
        DropIn("add", "MyAdd", "Add", draw_add, {}, {"unknown": [1]}, speed),
        DropIn(
            "concatenate",
            "MyConcatenate",
            "Concatenate",
            draw_concatenate,
            {},
            {"unknown": [1]},
            speed,
        ),
    ],
    judged={
        'ones = ops.ones_like(x, dtype="bool") -> ones = ops.ones_like(x, )': "what takes a mask takes numbers for one",
        'ones = ops.ones_like(x, dtype="bool") -> ones = ops.ones_like(x, dtype=None)': "what takes a mask takes numbers for one",
    },
)
