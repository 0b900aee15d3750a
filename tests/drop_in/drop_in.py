"""Our layers beside Keras's own, on the backend of this process: the same in all that is public.

Run for each backend by tests/test_drop_in.py.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

GOLDENS = Path(__file__).parent.parent / "goldens"
CASES = 40
# What these arguments of the built-ins do, our docstrings leave out.
LEFT_OUT = ("lora_rank", "lora_alpha", "quantization_config")


def ours(golden: str, module: str, name: str) -> Any:
    sys.path.insert(0, str(GOLDENS / golden))
    return getattr(importlib.import_module(module), name)


MyDense = ours("dense", "my_dense", "MyDense")
CONVOLUTIONS = {
    1: (ours("conv1d", "my_conv1d", "MyConv1D"), keras.layers.Conv1D),
    2: (ours("conv2d", "my_conv2d", "MyConv2D"), keras.layers.Conv2D),
    3: (ours("conv3d", "my_conv3d", "MyConv3D"), keras.layers.Conv3D),
}
PAIRS = [(MyDense, keras.layers.Dense), *CONVOLUTIONS.values()]
each_pair = pytest.mark.parametrize(("mine", "theirs"), PAIRS, ids=lambda cls: cls.__name__)


def outcome(act: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """What comes of the call: its value, or the type of the error."""
    try:
        return act(*arguments, **keywords)
    except Exception as error:  # Backends have errors of their own, and those count too.
        return type(error)


def conv_case(rank: int, seed: int) -> tuple[dict[str, Any], tuple[int, ...]]:
    """Random arguments of a convolution, good and bad, and the shape of an input for it."""
    pick = random.Random(seed)

    def size(most: int) -> Any:
        several = [pick.randint(1, most) for _ in range(rank)]
        return pick.choice([pick.randint(1, most), several, tuple(several)])

    arguments = {
        "filters": pick.choice([2, 4, 6]),
        "kernel_size": size(3),
        "padding": pick.choice(["valid", "same", "Same", "causal"]),
        "groups": pick.choice([1, 1, 2, 3]),
        "data_format": pick.choice([None, "channels_last", "channels_first", "Channels_First"]),
        "activation": pick.choice([None, "relu", "tanh"]),
        "use_bias": pick.random() < 0.7,
        "bias_initializer": "random_normal",
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16"]),
        pick.choice(["strides", "dilation_rate"]): size(3),
    }
    sizes = [pick.randint(1, 9) for _ in range(rank)]
    channels = pick.choice([2, 3, 4, 6])
    first = str(arguments["data_format"]).lower() == "channels_first"
    return arguments, (2, channels, *sizes) if first else (2, *sizes, channels)


def dense_case(seed: int) -> tuple[dict[str, Any], tuple[int, ...]]:
    pick = random.Random(seed)
    arguments = {
        "units": pick.randint(1, 5),
        "activation": pick.choice([None, "relu", "tanh"]),
        "use_bias": pick.random() < 0.7,
        "bias_initializer": "random_normal",
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16", "bfloat16"]),
    }
    return arguments, tuple(pick.randint(1, 4) for _ in range(pick.randint(1, 4)))


def case(theirs: Any, seed: int) -> tuple[dict[str, Any], tuple[int, ...]]:
    rank = next((rank for rank, pair in CONVOLUTIONS.items() if theirs in pair), 0)
    return conv_case(rank, seed) if rank else dense_case(seed)


@each_pair
def test_has_the_signature(mine: Any, theirs: Any) -> None:
    expected = inspect.signature(theirs).parameters
    assert [str(p) for p in inspect.signature(mine).parameters.values()] == [
        str(parameter) for name, parameter in expected.items() if name not in LEFT_OUT
    ]


@each_pair
@pytest.mark.parametrize("seed", range(CASES))
def test_does_the_same(mine: Any, theirs: Any, seed: int) -> None:
    arguments, shape = case(theirs, seed)
    layers = [outcome(cls, **arguments) for cls in (mine, theirs)]
    if isinstance(layers[1], type):
        assert layers[0] is layers[1]
        return
    layer, builtin = layers
    config = layer.get_config()
    for key in builtin.get_config().keys() - {"name", *LEFT_OUT}:
        assert config[key] == builtin.get_config()[key]
    for axis in range(len(shape)):
        unknown = tuple(None if i == axis else size for i, size in enumerate(shape))
        for known in (shape, unknown):
            if channels_of(layer, known) is not None:
                shapes = [outcome(x.compute_output_shape, known) for x in layers]
                assert shapes[0] == shapes[1]
    built = [outcome(x.build, shape) for x in layers]
    if isinstance(built[1], type) or len(shape) == 1:
        return
    assert built[0] == built[1]
    described = [[(w.name, w.shape, w.dtype, w.trainable) for w in x.weights] for x in layers]
    assert described[0] == described[1]
    layer.set_weights(builtin.get_weights())
    x = np.random.default_rng(seed).normal(size=shape).astype("float32")
    outputs = [outcome(it, x) for it in layers]
    if isinstance(outputs[1], type):
        assert outputs[0] is outputs[1]
        return
    assert outputs[0].dtype == outputs[1].dtype
    y, expected = (ops.convert_to_numpy(ops.cast(z, "float32")) for z in outputs)
    if bias_goes_astray(builtin, y):
        return
    tolerance = 1e-5 if arguments["dtype"] == "float32" else 0.03
    np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance)


def channels_of(layer: Any, shape: tuple[int | None, ...]) -> int | None:
    return shape[1 if getattr(layer, "data_format", "") == "channels_first" else -1]


def bias_goes_astray(builtin: Any, y: Any) -> bool:
    """Whether this is Keras 3.15's fault, not ours.

    On TensorFlow the built-in adds a bias of shape `(1, filters, 1, ...)` along the last axis of
    `channels_first` outputs, if that axis happens to have `filters` places.
    """
    return (
        keras.backend.backend() == "tensorflow"
        and getattr(builtin, "data_format", "") == "channels_first"
        and builtin.use_bias
        and y.shape[-1] == builtin.filters
    )


NOT_INTS = [0, -1, 2.5, "a", None]
BAD_FOR_DENSE = [
    *itertools.product(["units"], NOT_INTS),
    *itertools.product(["activation", "kernel_initializer", "bias_constraint"], ["nonsense"]),
    ("unknown", 1),
]
BAD_FOR_CONVOLUTIONS = [
    *itertools.product(["filters", "groups"], [0, -1]),
    *itertools.product(["kernel_size", "strides", "dilation_rate"], [*NOT_INTS, (1,) * 4]),
    *itertools.product(["padding"], ["full", ""]),
    *itertools.product(["data_format"], ["NHWC", ""]),
    *itertools.product(["activation", "bias_regularizer"], ["nonsense"]),
    ("unknown", 1),
]


@each_pair
def test_refuses_the_same(mine: Any, theirs: Any) -> None:
    dense = theirs is keras.layers.Dense
    good = {"units": 2} if dense else {"filters": 4, "kernel_size": 2}
    for name, bad in BAD_FOR_DENSE if dense else BAD_FOR_CONVOLUTIONS:
        refused = [outcome(cls, **{**good, name: bad}) for cls in (mine, theirs)]
        assert refused[0] is refused[1], (name, bad)
        assert isinstance(refused[0], type), (name, bad)
