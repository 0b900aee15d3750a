"""Proof for the template `mlp`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "mlp": ["MyMLP"],
        "mlp_functional": ["FunctionalMLP", "--style=functional"],
        "mlp_sequential": ["SequentialMLP", "--style=sequential"],
        "mlp_regression": ["RegressionMLP", "--head=regression"],
        "mlp_embedding": ["EmbeddingMLP", "--head=embedding"],
        "mlp_features": ["FeaturesMLP", "--head=none", "--style=functional"],
        "mlp_with_attributes": [
            "WideMLP",
            *("num_classes=2", "hidden_units=256,128", "activation=gelu", "dropout=0.1"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "mlp",
            "num_classes=10, hidden_units=(300, 100)",
            "(784,)",
            266_610,
            "784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10, LeNet-300-100",
        )
    ],
)
