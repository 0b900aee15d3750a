"""What proves the template `attention`."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from proofs import Call, DropIn, Proof


def draw(pick: Random) -> Call:
    arguments = {
        "use_scale": pick.random() < 0.5,
        "score_mode": pick.choice(["dot", "dot", "concat"]),
        "dropout": pick.choice([0.0, 0.3]),
        "seed": pick.randint(0, 9),
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16", "bfloat16"]),
    }
    return called(arguments, pick)


def draw_additive(pick: Random) -> Call:
    drawn = draw(pick)
    arguments = {key: value for key, value in drawn.arguments.items() if key != "score_mode"}
    return Call(arguments, drawn.inputs, drawn.call)


def called(arguments: dict[str, Any], pick: Random) -> Call:
    """A call with masks and further arguments, good ones or bad ones."""
    batch, query_steps, steps, dim = (pick.randint(1, 5) for _ in range(4))
    key = (batch, steps, dim)
    query, value = (batch, query_steps, dim), (batch, steps, pick.choice([dim, 3]))
    random = np.random.default_rng(0)
    number = pick.choice([1, 2, 2, 3, 3, 4])
    shapes = [query, key, key] if number == 2 else [query, value, key, key]
    masks = [random.random((batch, n)) < 0.7 for n in (query_steps, steps)]
    chosen = [mask if pick.random() < 0.6 else None for mask in masks]
    call = {
        "mask": pick.choice([None, chosen, chosen, [*chosen, None], chosen[:1], tuple(chosen)]),
        "training": pick.choice([True, False, None]),
        "return_attention_scores": pick.random() < 0.5,
        "use_causal_mask": pick.random() < 0.5,
    }
    inputs = [random.normal(size=shape).astype("float32") for shape in shapes[:number]]
    return Call(arguments, inputs, call)


def nothing_is_left(builtin: Any, outputs: Any) -> bool:
    """Whether this is Keras 3.15's fault, not ours.

    In float16 on Torch, the built-in gives NaN where all is masked: scores below 0 less 65504 are
    minus infinity.
    """
    return bool(builtin.compute_dtype == "float16" and np.isnan(outputs).any())


def long() -> list[Any]:
    return [np.ones((16, 128, 64), "float32")] * 2


PROOF = Proof(
    goldens={
        "attention": ["MyAttention"],
        "additive_attention": ["MyAdditiveAttention"],
        "attention_with_attributes": [
            "GainedAttention",
            *("use_scale=yes", "score_mode=concat", "dropout=0.2", "seed=7"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    drop_ins=[
        DropIn(
            golden="attention",
            name="MyAttention",
            builtin="Attention",
            draw=draw,
            plain={},
            refused={"score_mode": ["general", "", None], "unknown": [1]},
            speed=lambda: Call({}, long()),
            cases=60,
            spoilt=nothing_is_left,
        ),
        DropIn(
            golden="additive_attention",
            name="MyAdditiveAttention",
            builtin="AdditiveAttention",
            draw=draw_additive,
            plain={},
            refused={"unknown": [1]},
            speed=lambda: Call({}, long()),
            added=("seed",),  # Keras takes it among the `kwargs`.
            spoilt=nothing_is_left,
        ),
    ],
    judged={
        "added = ops.expand_dims(query, -2) + ops.expand_dims(key, -3) -> added = ops.expand_dims(query, +2) + ops.expand_dims(key, -3)": "of three axes and a new one, 2 and -2 are the same",
        "scores = ops.tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3)) -> scores = ops.tanh(ops.expand_dims(query, +2) + ops.expand_dims(key, -3))": "of three axes and a new one, 2 and -2 are the same",
        'causal_mask = ops.tril(ops.ones(ops.shape(scores)[-2:], "bool")) -> causal_mask = ops.tril(ops.ones(ops.shape(scores)[-2:], ))': "what takes a mask takes numbers for one",
        'causal_mask = ops.tril(ops.ones(ops.shape(scores)[-2:], "bool")) -> causal_mask = ops.tril(ops.ones(ops.shape(scores)[-2:], None))': "what takes a mask takes numbers for one",
        'causal_mask = ops.tril(ops.ones(ops.shape(scores)[-2:], "bool")) -> causal_mask = ops.tril(ops.ones(ops.shape(scores)[-3:], "bool"))': "it is broadcast over the batch otherwise",
        "if training and self.dropout > 0: -> if training and self.dropout >= 0:": "a dropout of 0 drops nothing",
        "mask = [None, None] -> mask = None": "Keras gives a list here, of None for what has no mask",
        "return None if mask is None else mask[0] -> return None if (mask is None) and False else mask[0]": "Keras gives a list here, of None for what has no mask",
        'self.concat_score_weight = None -> self.concat_score_weight = ""': "products have no use for it, and Keras's attribute is both false",
        "use_causal_mask=False, -> use_causal_mask=True,": "mutmut's wrapper hands the default of the original on",
    },
)
