"""Proof for the template `two_tower`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "two_tower": ["MyTwoTower"],
        "two_tower_functional": ["FunctionalTwoTower", "--style=functional"],
        "two_tower_dropout": [
            "RegularizedTwoTower",
            *("hidden_units=128", "embedding_dim=16", "dropout=0.1", "temperature=0.05"),
        ],
        "two_tower_with_attributes": [
            "LargeTwoTower",
            *("hidden_units=256,128", "activation=gelu", "temperature=0.05"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "two_tower",
            "hidden_units=(256, 64), embedding_dim=32",
            '{"query": (100,), "item": (50,)}',
            (100 + 50) * 256 + 2 * (256 + 256 * 64 + 64 + 64 * 32 + 32),
            "the formula, a tower at a time",
        )
    ],
    judged={
        "own = ops.eye(ops.shape(scores)[0]) -> own = ops.eye(ops.shape(scores)[1])": "the scores of a batch are a square",
        "return super().compute_loss(x, own, scores, sample_weight, training) -> return super().compute_loss(None, own, scores, sample_weight, training)": "Keras's own `compute_loss` does not look at it",
        "return super().compute_loss(x, own, scores, sample_weight, training) -> return super().compute_loss(x, own, scores, sample_weight, )": "Keras's own `compute_loss` does not look at it",
        "return super().compute_loss(x, own, scores, sample_weight, training) -> return super().compute_loss(x, own, scores, sample_weight, None)": "Keras's own `compute_loss` does not look at it",
        "scores = scores - 1e9 * (same - own) -> scores = scores - 1000000001.0 * (same - own)": "either is far below all scores",
    },
)
