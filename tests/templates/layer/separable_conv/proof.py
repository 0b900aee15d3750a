"""What proves the template `separable_conv`."""

from __future__ import annotations

from random import Random

import numpy as np

from proofs import Call, DropIn, Proof
from templates.layer.conv.proof import NOT_SIZES, SPEED, bias_goes_astray, size


def drop_in(rank: int) -> DropIn:
    def draw(pick: Random) -> Call:
        arguments = {
            "filters": pick.randint(1, 5),
            "kernel_size": size(pick, rank, 3),
            "strides": pick.choice([1, 1, 2, 3]),
            "padding": pick.choice(["valid", "same", "Same", "causal"]),
            "data_format": pick.choice([None, "channels_last", "channels_first", "Channels_First"]),
            "dilation_rate": pick.choice([1, size(pick, rank, 3)]),
            "depth_multiplier": pick.randint(1, 3),
            "activation": pick.choice([None, "relu", "tanh"]),
            "use_bias": pick.random() < 0.7,
            "bias_initializer": "random_normal",
            "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16"]),
        }
        sizes = [pick.randint(1, 9) for _ in range(rank)]
        channels = pick.randint(1, 4)
        first = str(arguments["data_format"]).lower() == "channels_first"
        shape = (2, channels, *sizes) if first else (2, *sizes, channels)
        return Call(arguments, np.random.default_rng(0).normal(size=shape).astype("float32"))

    return DropIn(
        golden=f"separable_conv{rank}d",
        name=f"MySeparableConv{rank}D",
        builtin=f"SeparableConv{rank}D",
        draw=draw,
        plain={"filters": 4, "kernel_size": 2},
        refused={
            "filters": [0, -1],
            "kernel_size": NOT_SIZES,
            "strides": NOT_SIZES,
            "dilation_rate": NOT_SIZES,
            "depth_multiplier": [0, -1],
            "padding": ["full", "causal", ""],
            "data_format": ["NHWC", ""],
            "activation": ["nonsense"],
            "pointwise_regularizer": ["nonsense"],
            "unknown": [1],
        },
        speed=lambda: Call({"filters": 64, "kernel_size": 3}, np.ones(SPEED[rank], "float32")),
        spoilt=bias_goes_astray,
    )


PROOF = Proof(
    goldens={
        "separable_conv1d": ["MySeparableConv1D"],
        "separable_conv2d": ["MySeparableConv2D"],
        "separable_conv_with_attributes": [
            "FancySeparableConv",
            *("filters=6", "kernel_size=3,2", "strides=2", "padding=same", "depth_multiplier=2"),
            *("activation=relu", "data_format=channels_first", "use_bias=no"),
            *("gain:float=1.0{>0}", "mode:enum(sum,mean)=sum"),
        ],
    },
    drop_ins=[drop_in(rank) for rank in (1, 2)],
)
