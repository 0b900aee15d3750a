"""Proof for the template `transformer_classifier`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "transformer_classifier": ["MyTransformer"],
        "transformer_classifier_functional": ["FunctionalTransformer", "--style=functional"],
        "transformer_classifier_regression": ["MyTextRegressor"],
        "transformer_classifier_embedding": ["MyTextEncoder", "--style=functional"],
        "transformer_classifier_features": ["FeaturesTransformer", "--head=none"],
        "transformer_classifier_with_attributes": [
            "WideTransformer",
            *("num_classes=2", "hidden_dim=128", "num_heads=8"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "transformer_classifier_features",
            "vocabulary_size=30522, hidden_dim=768, num_layers=6, num_heads=12,"
            " intermediate_dim=3072",
            "(6,)",
            66_362_880,
            "DistilBERT's encoder, which has a normalization behind the embeddings, not the last"
            " block, as Hugging Face counts it",
        )
    ],
    judged={
        "return (input_shape[0], *input_shape[2:]) -> return (input_shape[1], *input_shape[2:])": "a test is missing, of a symbolic batch of another size than the steps",
    },
)
