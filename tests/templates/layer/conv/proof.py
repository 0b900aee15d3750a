"""What proves the template `conv`."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from proofs import Call, DropIn, Proof

NOT_INTS = [0, -1, 2.5, "a", None]
NOT_SIZES = [*NOT_INTS, (1,) * 4]
SPEED = {1: (32, 256, 64), 2: (16, 32, 32, 64), 3: (4, 12, 12, 12, 32)}


def size(pick: Random, rank: int, most: int) -> Any:
    """A size along each axis: an int, a list or a tuple."""
    several = [pick.randint(1, most) for _ in range(rank)]
    return pick.choice([pick.randint(1, most), several, tuple(several)])


def drop_in(rank: int) -> DropIn:
    def draw(pick: Random) -> Call:
        arguments = {
            "filters": pick.choice([2, 4, 6]),
            "kernel_size": size(pick, rank, 3),
            "padding": pick.choice(["valid", "same", "Same", "causal"]),
            "groups": pick.choice([1, 1, 2, 3]),
            "data_format": pick.choice([None, "channels_last", "channels_first", "Channels_First"]),
            "activation": pick.choice([None, "relu", "tanh"]),
            "use_bias": pick.random() < 0.7,
            "bias_initializer": "random_normal",
            "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16"]),
            pick.choice(["strides", "dilation_rate"]): size(pick, rank, 3),
        }
        sizes = [pick.randint(1, 9) for _ in range(rank)]
        channels = pick.choice([2, 3, 4, 6])
        first = str(arguments["data_format"]).lower() == "channels_first"
        shape = (2, channels, *sizes) if first else (2, *sizes, channels)
        return Call(arguments, np.random.default_rng(0).normal(size=shape).astype("float32"))

    return DropIn(
        golden=f"conv{rank}d",
        name=f"MyConv{rank}D",
        builtin=f"Conv{rank}D",
        draw=draw,
        plain={"filters": 4, "kernel_size": 2},
        refused={
            "filters": [0, -1],
            "groups": [0, -1],
            "kernel_size": NOT_SIZES,
            "strides": NOT_SIZES,
            "dilation_rate": NOT_SIZES,
            "padding": ["full", ""],
            "data_format": ["NHWC", ""],
            "activation": ["nonsense"],
            "bias_regularizer": ["nonsense"],
            "unknown": [1],
        },
        speed=lambda: Call({"filters": 64, "kernel_size": 3}, np.ones(SPEED[rank], "float32")),
        left_out=("lora_rank", "lora_alpha", "quantization_config"),
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
        and outputs.shape[-1] == builtin.filters
    )


PROOF = Proof(
    goldens={
        "conv1d": ["MyConv1D"],
        "conv2d": ["MyConv2D"],
        "conv3d": ["MyConv3D"],
        "conv_with_attributes": [
            "FancyConv",
            *("filters=6", "kernel_size=3,2", "strides=2", "padding=same", "groups=2"),
            *("activation=relu", "data_format=channels_first", "use_bias=no"),
            *("gain:float=1.0{>0}", "mode:enum(sum,mean)=sum", "norm:layer=None"),
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
