"""What proves the template `embedding`."""

from __future__ import annotations

from random import Random

import numpy as np

from proofs import Call, DropIn, Proof


def draw(pick: Random) -> Call:
    input_dim = pick.randint(8, 400)
    arguments = {
        "input_dim": input_dim,
        "output_dim": pick.randint(1, 5),
        "embeddings_initializer": pick.choice(["uniform", "ones", "glorot_normal"]),
        "mask_zero": pick.random() < 0.5,
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16", "bfloat16"]),
    }
    shape = [pick.randint(1, 4) for _ in range(pick.randint(1, 4))]
    dtype = pick.choice(["int32", "int64", "int16", "uint16", "float32", "bool"])
    indices = np.random.default_rng(0).integers(input_dim, size=shape)
    return Call(arguments, indices.astype(dtype))


PROOF = Proof(
    goldens={
        "embedding": ["MyEmbedding"],
        "embedding_with_attributes": [
            "ScaledEmbedding",
            *("input_dim=500", "mask_zero=yes", "embeddings_initializer=he_normal"),
            *("scale:float=1.0{>0}", "mode:enum(sum,mean)=sum"),
        ],
    },
    drop_ins=[
        DropIn(
            golden="embedding",
            name="MyEmbedding",
            builtin="Embedding",
            draw=draw,
            plain={"input_dim": 4, "output_dim": 2},
            refused={
                "input_dim": [0, -1, 2.5, "a", None],
                "output_dim": [0, -1, 2.5, "a", None],
                "embeddings_initializer": ["nonsense"],
                "embeddings_regularizer": ["nonsense"],
                "embeddings_constraint": ["nonsense"],
                "unknown": [1],
            },
            speed=lambda: Call(
                {"input_dim": 10_000, "output_dim": 128}, np.ones((64, 128), "int32")
            ),
            left_out=(
                *("weights", "lora_rank", "lora_alpha", "quantization_config"),
                "activity_regularizer",  # None of it is in no config of ours.
            ),
        ),
    ],
    judged={
        '"`output_dim` must be a positive int. " -> "XX`output_dim` must be a positive int. XX"': (
            "the tests look for the message, not for where it begins"
        ),
        "self.autocast = False -> self.autocast = None": "as false as False",
        "super().build(input_shape) -> super().build(None)": "the base class takes any shape",
    },
)
