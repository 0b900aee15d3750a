"""What proves the template `conv_transpose`."""

from __future__ import annotations

from random import Random

import numpy as np

from proofs import Call, DropIn, Proof
from templates.layer.conv.proof import NOT_SIZES, bias_goes_astray, size

SPEED = {1: (32, 128, 64), 2: (16, 16, 16, 64), 3: (4, 6, 6, 6, 32)}


def drop_in(rank: int) -> DropIn:
    def draw(pick: Random) -> Call:
        arguments = {
            "filters": pick.randint(1, 5),
            "kernel_size": size(pick, rank, 4),
            "padding": pick.choice(["valid", "same", "Same", "causal"]),
            "output_padding": pick.choice([None, None, 0, 1]),
            "data_format": pick.choice([None, "channels_last", "channels_first", "Channels_First"]),
            "activation": pick.choice([None, "relu", "tanh"]),
            "use_bias": pick.random() < 0.7,
            "bias_initializer": "random_normal",
            "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16"]),
            pick.choice(["strides", "strides", "dilation_rate"]): size(pick, rank, 3),
        }
        sizes = [pick.randint(1, 5) for _ in range(rank)]
        channels = pick.randint(1, 4)
        first = str(arguments["data_format"]).lower() == "channels_first"
        shape = (2, channels, *sizes) if first else (2, *sizes, channels)
        return Call(arguments, np.random.default_rng(0).normal(size=shape).astype("float32"))

    return DropIn(
        golden=f"conv{rank}d_transpose",
        name=f"MyConv{rank}DTranspose",
        builtin=f"Conv{rank}DTranspose",
        draw=draw,
        plain={"filters": 4, "kernel_size": 2},
        refused={
            "filters": [0, -1],
            "kernel_size": NOT_SIZES,
            "strides": NOT_SIZES,
            "dilation_rate": NOT_SIZES,
            "output_padding": [-1, 1, 2.5, "a", (0,) * 4],
            "padding": ["full", "causal", ""],
            "data_format": ["NHWC", ""],
            "activation": ["nonsense"],
            "bias_regularizer": ["nonsense"],
            "unknown": [1],
        },
        speed=lambda: Call(
            {"filters": 64, "kernel_size": 3, "strides": 2}, np.ones(SPEED[rank], "float32")
        ),
        spoilt=bias_goes_astray,
    )


PROOF = Proof(
    goldens={
        **{f"conv{rank}d_transpose": [f"MyConv{rank}DTranspose"] for rank in (1, 2, 3)},
        "conv_transpose_with_attributes": [
            "FancyConvTranspose",
            *("filters=6", "kernel_size=3,2", "strides=2", "padding=same", "output_padding=1"),
            *("activation=relu", "use_bias=no"),
            *("gain:float=1.0{>0}", "mode:enum(sum,mean)=sum"),
        ],
    },
    drop_ins=[drop_in(rank) for rank in (1, 2, 3)],
    judged={
        "if max(strides) > 1 and max(dilation_rate) > 1: -> if max(strides) > 1 and max(dilation_rate) > 2:": (
            "a test is missing, of strides and dilation of 2"
        ),
        "if max(strides) > 1 and max(dilation_rate) > 1: -> if max(strides) > 2 and max(dilation_rate) > 1:": (
            "a test is missing, of strides and dilation of 2"
        ),
    },
)
