"""Proof for the template `wide_deep`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "wide_deep": ["MyWideDeep"],
        "wide_deep_functional": ["FunctionalWideDeep", "--style=functional"],
        "wide_deep_regression": ["RegressionWideDeep", "--head=regression"],
        "wide_deep_functional_regression": [
            "PricesWideDeep",
            *("--style=functional", "--head=regression"),
        ],
        "wide_deep_with_attributes": [
            "SparseWideDeep",
            *("num_classes=2", "hidden_units=256,128", "dropout=0.1", "wide_regularizer=l1"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "wide_deep",
            "num_classes=1, hidden_units=(1024, 512, 256)",
            '{"wide": (100,), "deep": (1200,)}',
            1_886_309,
            "the deep part of the paper's figure 4, 1200 -> 1024 -> 512 -> 256 -> 1, by its "
            "formula, and 100 weights of the wide part",
        )
    ],
)
