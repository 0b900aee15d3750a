"""What proves the template `recurrent`."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np

from proofs import Call, DropIn, Proof


def drop_in(golden: str, builtin: str, *flags: str, left_out: tuple[str, ...] = ()) -> DropIn:
    def draw(pick: Random) -> Call:
        arguments = given(pick, "use_bias", *flags)
        wanted = ("return_sequences", "return_state", "go_backwards", "unroll")
        arguments |= {name: pick.random() < 0.4 for name in wanted}
        units, batch, steps, dim = arguments["units"], *(pick.randint(1, 4) for _ in range(3))
        random = np.random.default_rng(0)
        call: dict[str, Any] = {}
        if pick.random() < 0.3:
            call["mask"] = random.random((batch, steps)) < 0.6
        if pick.random() < 0.3:
            call["initial_state"] = states(builtin, batch, units)
        if pick.random() < 0.3:
            arguments["dropout"], arguments["seed"] = 0.3, 1
            arguments["recurrent_dropout"] = pick.choice([0.0, 0.5])
            call["training"] = True
        inputs = random.normal(size=(batch, steps, dim)).astype("float32")
        return Call(arguments, inputs, call)

    return DropIn(
        golden=golden,
        name=f"My{builtin}",
        builtin=builtin,
        draw=draw,
        plain={"units": 2},
        refused=REFUSED,
        speed=lambda: Call({"units": 64}, np.ones((32, 32, 64), "float32")),
        cases=12,
        left_out=left_out,
    )


def cell_drop_in(golden: str, builtin: str, *flags: str) -> DropIn:
    def draw(pick: Random) -> Call:
        arguments = given(pick, "use_bias", *flags)
        batch, dim = (pick.randint(1, 4) for _ in range(2))
        before = states(builtin, batch, arguments["units"])
        inputs = np.random.default_rng(0).normal(size=(batch, dim)).astype("float32")
        return Call(arguments, inputs, {"states": before})

    return DropIn(
        golden=golden,
        name=f"My{builtin}",
        builtin=builtin,
        draw=draw,
        plain={"units": 2},
        refused=REFUSED,
        speed=lambda: Call(
            {"units": 256}, np.ones((32, 256), "float32"), {"states": states(builtin, 32, 256)}
        ),
        cases=6,
    )


REFUSED: dict[str, Sequence[Any]] = {
    "units": [0, -1],
    "activation": ["nonsense"],
    "kernel_initializer": ["nonsense"],
    "recurrent_constraint": ["nonsense"],
    "unknown": [1],
}


def given(pick: Random, *flags: str) -> dict[str, Any]:
    arguments = {name: pick.random() < 0.6 for name in flags}
    return arguments | {
        "units": pick.randint(1, 5),
        "activation": pick.choice([None, "tanh"]),
        "bias_initializer": "random_normal",
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16"]),
    }


def states(builtin: str, batch: int, units: int) -> list[Any]:
    random = np.random.default_rng(1)
    number = 2 if builtin.startswith("LSTM") else 1
    return [random.normal(size=(batch, units)).astype("float32") for _ in range(number)]


PROOF = Proof(
    goldens={
        "simple_rnn": ["MySimpleRNN"],
        "lstm": ["MyLSTM"],
        "gru": ["MyGRU"],
        "gru_cell": ["MyGRUCell"],
        "recurrent_with_attributes": [
            "FancyLSTM",
            *("units=32", "activation=relu", "use_bias=no", "dropout=0.1"),
            *("return_sequences=yes", "seed=7", "gain:float=1.0{>0}", "mode:enum(sum,mean)=sum"),
            "size:ints(2)=3,5",
        ],
    },
    drop_ins=[
        drop_in("simple_rnn", "SimpleRNN"),
        drop_in("lstm", "LSTM", "unit_forget_bias", left_out=("use_cudnn",)),
        drop_in("gru", "GRU", "reset_after", left_out=("use_cudnn",)),
        cell_drop_in("simple_rnn", "SimpleRNNCell"),
        cell_drop_in("lstm", "LSTMCell", "unit_forget_bias"),
        cell_drop_in("gru", "GRUCell", "reset_after"),
    ],
    always_on=("jax",),
    judged={
        "dropout=0.0, -> dropout=1.0,": "mutmut's wrapper hands the default of the original on",
        "recurrent_dropout=0.0, -> recurrent_dropout=1.0,": "mutmut's wrapper hands the default of the original on",
        "use_bias=True, -> use_bias=False,": "mutmut's wrapper hands the default of the original on",
        "reset_after=True, -> reset_after=False,": "mutmut's wrapper hands the default of the original on",
        "unit_forget_bias=True, -> unit_forget_bias=False,": "mutmut's wrapper hands the default of the original on",
        "input_dim = input_shape[-1] -> input_dim = input_shape[+1]": "of two axes, 1 is the last",
        "i, f, g, o = ops.split(outputs, 4, axis=-1) -> i, f, g, o = ops.split(outputs, 4, axis=+1)": "of two axes, 1 is the last",
        "h_z, h_r = ops.split(products, 2, axis=-1) -> h_z, h_r = ops.split(products, 2, axis=+1)": "of two axes, 1 is the last",
        "h_z, h_r, h_g = ops.split(products, 3, axis=-1) -> h_z, h_r, h_g = ops.split(products, 3, axis=+1)": "of two axes, 1 is the last",
        "x_z, x_r, x_g = ops.split(x, 3, axis=-1) -> x_z, x_r, x_g = ops.split(x, 3, axis=+1)": "of two axes, 1 is the last",
        "return (inputs_shape[0], self.units), states_shape -> return (inputs_shape[1], self.units), states_shape": "a test is missing, of the shapes that a cell gives",
        'trainable=kwargs.get("trainable", True), -> nothing': "what is inside of a layer that is not trainable is not, either",
        'trainable=kwargs.get("trainable", True), -> trainable=kwargs.get("TRAINABLE", True),': "what is inside of a layer that is not trainable is not, either",
        'trainable=kwargs.get("trainable", True), -> trainable=kwargs.get("XXtrainableXX", True),': "what is inside of a layer that is not trainable is not, either",
        'trainable=kwargs.get("trainable", True), -> trainable=kwargs.get(None, True),': "what is inside of a layer that is not trainable is not, either",
        "return h, [h] if keras.tree.is_nested(states) else h -> return h, [h] if (keras.tree.is_nested(states)) or True else h": "a test is missing, of a state that is in no list",
    },
)
