"""What proves the template `wrapper`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

import numpy as np

from proofs import Call, DropIn, Proof


class Wrapping(Mapping[str, Any]):
    """Arguments of a wrapper, with another `layer` of the same kind each time they are read."""

    def __init__(self, kind: str, given: Mapping[str, Any], **further: Any) -> None:
        self.kind, self.given, self.further = kind, given, further

    def __getitem__(self, name: str) -> Any:
        if name != "layer":
            return self.further[name]
        import keras

        return getattr(keras.layers, self.kind)(**self.given, name="wrapped")

    def __iter__(self) -> Iterator[str]:
        return iter(["layer", *self.further])

    def __len__(self) -> int:
        return 1 + len(self.further)


DENSE = Wrapping("Dense", {"units": 2})


def draw_spectral_normalization(pick: Random) -> Call:
    choices: list[tuple[str, dict[str, Any], int]] = [
        ("Dense", {"units": 3}, pick.randint(0, 2)),
        ("Dense", {"units": 3, "kernel_initializer": "zeros"}, 0),
        ("Conv1D", {"filters": 4, "kernel_size": 2}, 1),
        ("DepthwiseConv2D", {"kernel_size": (1, 2)}, 2),
        ("Dropout", {"rate": 0.5}, 1),
    ]
    kind, given, axes = pick.choice(choices)
    shape = (pick.randint(1, 4), *(pick.randint(2, 5) for _ in range(axes)), pick.randint(1, 6))
    inputs = np.random.default_rng(0).normal(size=shape).astype("float32")
    arguments = Wrapping(kind, given, power_iterations=pick.randint(1, 3))
    # At inference Keras divides nothing, and in a narrow dtype by a sigma that is rounded, too.
    return Call(arguments, inputs, {"training": True})


def draw_time_distributed(pick: Random) -> Call:
    dtype = pick.choice(["float32", "float32", "mixed_bfloat16", "bfloat16"])
    choices: list[tuple[str, dict[str, Any], int]] = [
        ("Dense", {"units": 3, "activation": "tanh"}, pick.randint(-1, 2)),
        ("Conv1D", {"filters": 4, "kernel_size": 2}, 1),
        ("Dropout", {"rate": 0.5, "seed": 1}, 1),
        ("BatchNormalization", {}, 1),
        ("Softmax", {}, 1),
        ("Flatten", {}, 2),
    ]
    kind, given, axes = pick.choice(choices)
    shape = (*(pick.randint(2, 5) for _ in range(2 + axes)), pick.randint(1, 6))
    random = np.random.default_rng(0)
    call: dict[str, Any] = {"training": pick.random() < 0.5}
    if pick.random() < 0.4:
        # Softmax takes it place by place, the others pass it on.
        call["mask"] = random.random(shape if kind == "Softmax" else shape[:2]) < 0.6
    inputs = random.normal(size=shape).astype("float32")
    return Call(Wrapping(kind, {**given, "dtype": dtype}, dtype=dtype), inputs, call)


PROOF = Proof(
    goldens={
        "residual_wrapper": ["MyResidualWrapper"],
        "spectral_normalization": ["MySpectralNormalization"],
        "time_distributed": ["MyTimeDistributed"],
        "wrapper_with_attributes": [
            "FancySpectralNormalization",
            *("power_iterations=2", "gain:float=1.0{>0}", "mode:enum(sum,mean)=sum"),
        ],
    },
    drop_ins=[
        DropIn(
            golden="spectral_normalization",
            name="MySpectralNormalization",
            builtin="SpectralNormalization",
            draw=draw_spectral_normalization,
            plain=DENSE,
            refused={"power_iterations": [0, -1], "unknown": [1]},
            overwritten=("kernel",),
            speed=lambda: Call(
                Wrapping("Dense", {"units": 256}),
                np.ones((64, 256), "float32"),
                {"training": True},
            ),
        ),
        DropIn(
            golden="time_distributed",
            name="MyTimeDistributed",
            builtin="TimeDistributed",
            draw=draw_time_distributed,
            plain=DENSE,
            refused={"unknown": [1]},
            speed=lambda: Call(Wrapping("Dense", {"units": 64}), np.ones((32, 16, 64), "float32")),
        ),
    ],
    always_on=("jax",),
    judged={
        "self.input_spec = keras.layers.InputSpec(min_ndim=1, axes={-1: input_shape[-1]}) -> self.input_spec = keras.layers.InputSpec(axes={-1: input_shape[-1]})": "the layer that is wrapped refuses fewer axes itself",
        "self.input_spec = keras.layers.InputSpec(min_ndim=1, axes={-1: input_shape[-1]}) -> self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: input_shape[-1]})": "the layer that is wrapped refuses fewer axes itself",
        "self.input_spec = keras.layers.InputSpec(min_ndim=1, axes={-1: input_shape[-1]}) -> self.input_spec = keras.layers.InputSpec(min_ndim=None, axes={-1: input_shape[-1]})": "the layer that is wrapped refuses fewer axes itself",
    },
)
