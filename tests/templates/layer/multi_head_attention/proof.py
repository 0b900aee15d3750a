"""What proves the template `multi_head_attention`."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np

from proofs import Call, DropIn, Proof

DTYPES = ["float32", "float32", "mixed_bfloat16", "mixed_float16", "bfloat16"]


def draw_all(pick: Random) -> Call:
    arguments: dict[str, Any] = {
        "num_heads": pick.randint(1, 4),
        "key_dim": pick.randint(1, 4),
        "output_shape": pick.choice([None, None, 5, (3,), [2, 3]]),
    }
    # Of `query_mask` Keras 3.15's takes no notice unless it comes with the query.
    call = called(arguments, pick, ["value_mask", "key_mask"])
    # On JAX it fails with values of another size than the keys, unless there is dropout.
    size = pick.randint(1, 4) if arguments["dropout"] else pick.choice([None, arguments["key_dim"]])
    return Call({**arguments, "value_dim": size}, call.inputs, call.call)


def draw_grouped(pick: Random) -> Call:
    arguments = {
        "head_dim": pick.randint(1, 4),
        "num_query_heads": pick.choice([2, 4, 6]),
        "num_key_value_heads": pick.choice([1, 2, 2, 3]),
    }
    return called(arguments, pick, ["query_mask", "value_mask", "key_mask"])


def called(arguments: dict[str, Any], pick: Random, masks: list[str]) -> Call:
    """The arguments that both have, and a call."""
    arguments |= {
        "use_bias": pick.random() < 0.7,
        "use_gate": pick.random() < 0.4,
        "sliding_window": pick.choice([None, None, 1, 3]),
        "dropout": pick.choice([0.0, 0.0, 0.3]),
        "bias_initializer": "random_normal",
        "seed": pick.randint(0, 9),
        "dtype": pick.choice(DTYPES),
    }
    random = np.random.default_rng(0)
    batch, query_steps, steps, dim = (pick.randint(1, 5) for _ in range(4))
    query, value = (batch, query_steps, dim), (batch, steps, dim)
    call: dict[str, Any] = {
        "value": random.normal(size=value).astype("float32"),
        "training": pick.choice([True, False, None]),
        "return_attention_scores": pick.random() < 0.4,
        "use_causal_mask": pick.random() < 0.4,
    }
    if pick.random() < 0.5:
        # A key of other steps than the value is refused by one built-in, not by the other.
        others = steps + ("num_heads" in arguments and pick.random() < 0.2)
        key = (batch, others, pick.choice([dim, 3]))
        call["key"] = random.normal(size=key).astype("float32")
    for name in masks:
        if pick.random() < 0.3:
            length = query_steps if name == "query_mask" else steps
            call[name] = random.random((batch, length)) < 0.7
    if pick.random() < 0.4:
        call["attention_mask"] = random.random((batch, query_steps, steps)) < 0.7
    return Call(arguments, random.normal(size=query).astype("float32"), call)


def speed(arguments: dict[str, int]) -> Call:
    x = np.ones((8, 128, 256), "float32")
    return Call(arguments, x, {"value": x, "use_causal_mask": True})


REFUSED: dict[str, Sequence[Any]] = {
    "sliding_window": [0, -1, 2.5, "a"],
    "kernel_initializer": ["nonsense"],
    "bias_regularizer": ["nonsense"],
    "kernel_constraint": ["nonsense"],
    "unknown": [1],
}

PROOF = Proof(
    goldens={
        "multi_head_attention": ["MyMultiHeadAttention"],
        "grouped_query_attention": ["MyGroupedQueryAttention"],
        "multi_head_attention_with_attributes": [
            "GainedSelfAttention",
            *("num_heads=4", "use_bias=no", "dropout=0.1", "kernel_regularizer=l2"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    drop_ins=[
        DropIn(
            golden="multi_head_attention",
            name="MyMultiHeadAttention",
            builtin="MultiHeadAttention",
            draw=draw_all,
            plain={"num_heads": 2, "key_dim": 3},
            refused={
                **REFUSED,
                "num_heads": [0, -1, 2.5, "a", None],
                "key_dim": [0, -1, 2.5, "a", None],
                "value_dim": [-1, 2.5, "a"],
            },
            speed=lambda: speed({"num_heads": 8, "key_dim": 32}),
            left_out=("attention_axes", "flash_attention", "activity_regularizer"),
            cases=25,
        ),
        DropIn(
            golden="grouped_query_attention",
            name="MyGroupedQueryAttention",
            builtin="GroupQueryAttention",
            draw=draw_grouped,
            plain={"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
            refused={**REFUSED, "num_key_value_heads": [3]},
            speed=lambda: speed({"head_dim": 32, "num_query_heads": 8, "num_key_value_heads": 2}),
            left_out=("flash_attention", "activity_regularizer"),
            cases=25,
        ),
    ],
    judged={
        "self.compute_output_shape(query_shape, value_shape, key_shape) -> self.compute_output_shape(None, value_shape, key_shape)": "what it is called for, it finds in the others",
        "distance = ops.abs(ops.expand_dims(steps, -1) - others) -> distance = ops.abs(ops.expand_dims(steps, +1) - others)": "behind a single axis, 1 and -1 are the same",
        'axes = "fghijklmnop"[: len(output_shape)] -> axes = "FGHIJKLMNOP"[: len(output_shape)]': "the letters of an equation are names",
        'split = "abc,cde->abde" -> split = "ABC,CDE->ABDE"': "the letters of an equation are names",
        "fused = self.dropout == 0 and self.value_dim == self.key_dim -> fused = None": "the values are the same without the fused operation",
        "fused = self.dropout == 0 and self.value_dim == self.key_dim -> fused = self.dropout == 1 and self.value_dim == self.key_dim": "the values are the same without the fused operation",
        "fused = self.dropout == 0 and self.value_dim == self.key_dim -> fused = self.dropout == 0 and self.value_dim != self.key_dim": "TensorFlow's fused operation takes values of any size; JAX's does not",
        "if self.dropout == 0 and not return_attention_scores: -> if self.dropout == 1 and not return_attention_scores:": "the values are the same without the fused operation",
        "if training and self.dropout > 0: -> if training and self.dropout >= 0:": "a dropout of 0 drops nothing",
        'past = ops.tril(ops.ones(ops.shape(scores)[-2:], "bool")) -> past = ops.tril(ops.ones(ops.shape(scores)[+2:], "bool"))': "of four axes, these are the last two as well",
        'past = ops.tril(ops.ones(ops.shape(scores)[-2:], "bool")) -> past = ops.tril(ops.ones(ops.shape(scores)[-3:], "bool"))': "it is broadcast over the heads otherwise",
        'past = ops.tril(ops.ones(ops.shape(scores)[-2:], "bool")) -> past = ops.tril(ops.ones(ops.shape(scores)[-2:], ))': "what takes a mask takes numbers for one",
        'past = ops.tril(ops.ones(ops.shape(scores)[-2:], "bool")) -> past = ops.tril(ops.ones(ops.shape(scores)[-2:], None))': "what takes a mask takes numbers for one",
        "queries, keys, values, mask=seen, scale=scale, is_causal=use_causal_mask -> queries, keys, values, mask=seen, is_causal=use_causal_mask": "this scale is the default",
        "queries, keys, values, mask=seen, scale=scale, is_causal=use_causal_mask -> queries, keys, values, mask=seen, scale=None, is_causal=use_causal_mask": "this scale is the default",
        "use_causal_mask=False, -> use_causal_mask=True,": "it changes no shape",
    },
)
