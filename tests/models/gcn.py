"""What proves the template `gcn`."""

from __future__ import annotations

from models.proof import Proof, Size

PROOF = Proof(
    goldens={
        "gcn": ["MyGCN"],
        "gcn_functional": ["FunctionalGCN", "--style=functional"],
        "gcn_regression": ["RegressionGCN", "--head=regression"],
        "gcn_with_attributes": [
            "DeepGCN",
            *("num_classes=2", "hidden_units=64,32", "activation=tanh", "dropout=0.2"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "gcn",
            "num_classes=7",
            "[(None, 1433), (None, None)]",
            23_063,
            "the paper's network for Cora, with biases: 1433 * 16 + 16 + 16 * 7 + 7",
        ),
    ],
)
