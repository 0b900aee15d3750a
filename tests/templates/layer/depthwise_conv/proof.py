"""What proves the template `depthwise_conv`."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from proofs import Call, DropIn, Proof
from templates.layer.conv.proof import NOT_SIZES, SPEED, size


def drop_in(rank: int) -> DropIn:
    def draw(pick: Random) -> Call:
        arguments = {
            "kernel_size": size(pick, rank, 3),
            "strides": pick.choice([1, 1, 2, 3]),
            "padding": pick.choice(["valid", "same", "Same", "causal"]),
            "depth_multiplier": pick.randint(1, 3),
            "data_format": pick.choice([None, "channels_last", "channels_first", "Channels_First"]),
            "dilation_rate": pick.choice([1, size(pick, rank, 3)]),
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
        golden=f"depthwise_conv{rank}d",
        name=f"MyDepthwiseConv{rank}D",
        builtin=f"DepthwiseConv{rank}D",
        draw=draw,
        plain={"kernel_size": 2},
        refused={
            "kernel_size": NOT_SIZES,
            "strides": NOT_SIZES,
            "dilation_rate": NOT_SIZES,
            "depth_multiplier": [0, -1],
            "padding": ["full", "causal", ""],
            "data_format": ["NHWC", ""],
            "activation": ["nonsense"],
            "bias_regularizer": ["nonsense"],
            "unknown": [1],
        },
        speed=lambda: Call({"kernel_size": 3}, np.ones(SPEED[rank], "float32")),
        spoilt=bias_goes_astray,
    )


def bias_goes_astray(builtin: Any, outputs: Any) -> bool:
    """Whether this is Keras 3.15's fault, not ours.

    On TensorFlow the built-in adds a bias of shape `(1, filters, 1, ...)` along the last axis of
    `channels_first` outputs, if that axis happens to have `filters` places.
    """
    import keras

    return bool(
        keras.backend.backend() == "tensorflow"
        and builtin.data_format == "channels_first"
        and builtin.use_bias
        and outputs.shape[-1] == outputs.shape[1]
    )


PROOF = Proof(
    goldens={
        "depthwise_conv1d": ["MyDepthwiseConv1D"],
        "depthwise_conv2d": ["MyDepthwiseConv2D"],
        "depthwise_conv_with_attributes": [
            "FancyDepthwiseConv",
            *("kernel_size=3,2", "strides=2", "padding=same", "depth_multiplier=2"),
            *("activation=relu", "data_format=channels_first", "use_bias=no"),
            *("gain:float=1.0{>0}", "mode:enum(sum,mean)=sum"),
        ],
    },
    drop_ins=[drop_in(rank) for rank in (1, 2)],
)
