"""Proof for the template `gcn`."""

from __future__ import annotations

from proofs import Proof, Size

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
    judged={
        "return None if mask is None else mask[0] -> return None if (mask is None) and False else mask[0]": "Keras gives a list here, of None for what has no mask",
        "return None if mask is None else mask[0] -> return None if (mask is None) or True else mask[0]": "a test is missing, of a mask on the way to a next layer",
        "return None if mask is None else mask[0] -> return None if mask is None else mask[1]": "a test is missing, of a mask on the way to a next layer",
        "return None if mask is None else mask[0] -> return None if mask is not None else mask[0]": "a test is missing, of a mask on the way to a next layer",
    },
)
