"""What proves the template `two_tower`."""

from __future__ import annotations

from models.proof import Proof, Size

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
)
