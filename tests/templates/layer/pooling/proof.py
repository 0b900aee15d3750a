"""What proves the template `pooling`."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from proofs import Call, DropIn, Proof

NOT_SIZES = [-1, 2.5, "a", (1,) * 4]
SPEED = {1: (32, 256, 64), 2: (16, 32, 32, 64), 3: (4, 12, 12, 12, 32)}


def size(pick: Random, rank: int, most: int) -> Any:
    """A size along each axis: an int, a list or a tuple."""
    several = [pick.randint(1, most) for _ in range(rank)]
    return pick.choice([pick.randint(1, most), several, tuple(several)])


def inputs(pick: Random, rank: int, data_format: Any) -> np.ndarray[Any, Any]:
    # None is smaller than a window: TensorFlow's `max_pool` would end the process.
    sizes = [pick.randint(4, 9) for _ in range(rank)]
    first = str(data_format).lower() == "channels_first"
    shape = (2, 3, *sizes) if first else (2, *sizes, 3)
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def of_windows(kind: str, rank: int) -> DropIn:
    def draw(pick: Random) -> Call:
        arguments = {
            "pool_size": size(pick, rank, 4),
            "strides": pick.choice([None, size(pick, rank, 3)]),
            # Not "Same": some backends take it, as Keras's documentation says, some do not.
            "padding": pick.choice(["valid", "same"]),
            "data_format": pick.choice([None, "channels_last", "channels_first", "Channels_First"]),
            "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16"]),
        }
        return Call(arguments, inputs(pick, rank, arguments["data_format"]))

    return DropIn(
        golden=f"{kind.lower()}_pooling{rank}d",
        name=f"My{kind}Pooling{rank}D",
        builtin=f"{kind}Pooling{rank}D",
        draw=draw,
        plain={"pool_size": 2},
        refused={
            "pool_size": [0, None, *NOT_SIZES],
            "strides": NOT_SIZES,
            "data_format": ["NHWC", ""],
            "unknown": [1],
        },
        speed=lambda: Call({"pool_size": 2}, np.ones(SPEED[rank], "float32")),
        left_out=("name",),
        cases=20,
    )


def of_all_places(kind: str, rank: int) -> DropIn:
    def draw(pick: Random) -> Call:
        arguments = {
            "data_format": pick.choice([None, "channels_last", "channels_first", "Channels_First"]),
            "keepdims": pick.choice([False, True]),
            "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16"]),
        }
        x = inputs(pick, rank, arguments["data_format"])
        call = {}
        if kind == "Average" and rank == 1 and pick.random() < 0.6:
            first = str(arguments["data_format"]).lower() == "channels_first"
            steps = x.shape[2 if first else 1]
            dtype = pick.choice(["bool", "int32", "float32"])
            mask = [[pick.random() < 0.7 for _ in range(steps)] for _ in x]
            call = {"mask": np.array(mask).astype(dtype)}
        return Call(arguments, x, call)

    return DropIn(
        golden=f"global_{kind.lower()}_pooling{rank}d",
        name=f"MyGlobal{kind}Pooling{rank}D",
        builtin=f"Global{kind}Pooling{rank}D",
        draw=draw,
        plain={},
        refused={"data_format": ["NHWC", ""], "unknown": [1]},
        speed=lambda: Call({}, np.ones(SPEED[rank], "float32")),
        cases=20,
    )


# No window over volumes: on a CPU, TensorFlow has no float64 for them.
WINDOWS = [("Max", 1), ("Max", 2), ("Average", 1), ("Average", 2)]
ALL_PLACES = [("Max", 1), ("Average", 1), ("Average", 2), ("Max", 3)]

PROOF = Proof(
    goldens={
        **{f"{kind.lower()}_pooling{n}d": [f"My{kind}Pooling{n}D"] for kind, n in WINDOWS},
        **{
            f"global_{kind.lower()}_pooling{n}d": [f"MyGlobal{kind}Pooling{n}D"]
            for kind, n in ALL_PLACES
        },
        "pooling_with_attributes": [
            "FancyPooling",
            *("--option=kind=average", "pool_size=3,2", "strides=2"),
            *("padding=same", "data_format=channels_first"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    drop_ins=[
        *(of_windows(kind, rank) for kind, rank in WINDOWS),
        *(of_all_places(kind, rank) for kind, rank in ALL_PLACES),
    ],
)
