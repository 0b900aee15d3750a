"""Proof for the template `tabular_transformer`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "tabular_transformer": ["MyTabularTransformer"],
        "tabular_transformer_functional": ["FunctionalFTTransformer", "--style=functional"],
        "tabular_transformer_regression": ["RegressionFTTransformer", "--head=regression"],
        "tabular_transformer_embedding": [
            "EmbeddingFTTransformer",
            *("--head=embedding", "--style=functional"),
        ],
        "tabular_transformer_features": ["FeaturesFTTransformer", "--head=none"],
        "tabular_transformer_with_attributes": [
            "SmallFTTransformer",
            *("num_classes=2", "hidden_dim=64", "num_heads=4", "intermediate_dim=96"),
            *("dropout=0.3", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "tabular_transformer",
            "num_classes=1",
            "(100,)",
            # A tokenizer, three blocks (attention, norms, feed-forward network), norm and head.
            (2 * 100 + 1) * 192
            + 3 * (4 * (192 * 192 + 192) + 2 * 2 * 192 + 2 * (192 * 256 + 256) + 256 * 192 + 192)
            - 2 * 192
            + 2 * 192
            + 192
            + 1,
            "the formula, at the paper's default size and 100 features",
        )
    ],
    judged={
        '1 / 3, mode="fan_out", distribution="uniform" -> 1 / 4, mode="fan_out", distribution="uniform"': "a test is missing, of how far from 0 the weights begin",
        "self.input_spec = keras.layers.InputSpec(ndim=2, axes={-1: num_features}) -> self.input_spec = keras.layers.InputSpec(ndim=2, axes={+1: num_features})": "of two axes, the last is the one after the first",
    },
)
