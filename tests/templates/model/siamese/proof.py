"""Proof for the template `siamese`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "siamese": ["MySiamese"],
        "siamese_functional": ["FunctionalSiamese", "--style=functional"],
        "siamese_logit": ["LogitSiamese", "--option=output=logit"],
        "siamese_logit_functional": [
            "OneShot",
            *("--style=functional", "--option=output=logit"),
        ],
        "siamese_with_attributes": [
            "WideSiamese",
            *("filters=16,32,64", "embedding_dim=64", "activation=gelu", "margin=2.0"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "siamese_logit",
            "filters=(32, 64), embedding_dim=128",
            "[(28, 28, 1), (28, 28, 1)]",
            420_353,
            "10 * 32 + (9 * 32 + 1) * 64 + 7 * 7 * 64 * 128 + 129: two convolutions and a "
            "dense layer on MNIST, once for both images, and a weighted sum",
        )
    ],
    judged={
        "return (input_shape[0][0], 1) -> return (input_shape[1][0], 1)": "both images come in one batch",
        "return ops.mean(same * pulled + (1 - same) * pushed, axis=-1) -> return ops.mean(same * pulled + (1 - same) * pushed, )": "a test is missing, of weights of pairs",
        "return ops.mean(same * pulled + (1 - same) * pushed, axis=-1) -> return ops.mean(same * pulled + (1 - same) * pushed, axis=-2)": "a test is missing, of weights of pairs",
        "return ops.mean(same * pulled + (1 - same) * pushed, axis=-1) -> return ops.mean(same * pulled + (1 - same) * pushed, axis=None)": "a test is missing, of weights of pairs",
    },
)
