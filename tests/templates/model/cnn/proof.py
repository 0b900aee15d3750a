"""Proof for the template `cnn`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "cnn": ["MyCNN"],
        "cnn_functional": ["FunctionalCNN", "--style=functional"],
        "cnn_sequential": ["SequentialCNN", "--style=sequential"],
        "cnn_embedding": ["EmbeddingCNN", "--head=embedding"],
        "cnn_regression": ["RegressionCNN", "--head=regression", "--style=functional"],
        "cnn_features": ["FeaturesCNN", "--head=none", "--style=sequential"],
        "cnn_with_attributes": [
            "WideCNN",
            *("num_classes=2", "filters=64,64", "kernel_size=5,3", "pool_size=3"),
            *("activation=gelu", "dropout=0.1", "data_format=channels_first"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "cnn",
            "num_classes=10, filters=(32, 64), data_format='channels_last'",
            "(28, 28, 1)",
            19_754,
            "9 * 32 + 4 * 32 + 9 * 32 * 64 + 4 * 64 + 64 * 10 + 10",
        )
    ],
)
