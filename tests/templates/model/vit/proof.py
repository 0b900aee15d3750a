"""Proof for the template `vit`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "vit": ["MyViT"],
        "vit_functional": ["FunctionalViT", "--style=functional"],
        "vit_average": ["AverageViT", "--style=functional"],
        "vit_embedding": ["EmbeddingViT", "--head=embedding"],
        "vit_features": ["FeaturesAverageViT", "--head=none"],
        "vit_with_attributes": [
            "SmallViT",
            *("num_classes=2", "patch_size=4", "num_layers=3", "hidden_dim=24"),
            *("num_heads=4", "dropout=0.1"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size("vit", "num_classes=1000", "(224, 224, 3)", 5_717_416, "timm's vit_tiny_patch16_224"),
        Size(
            "vit_functional",
            "image_shape=(224, 224, 3), num_classes=1000, hidden_dim=768, num_heads=12, "
            "mlp_dim=3072",
            None,
            86_567_656,
            "torchvision's vit_b_16",
        ),
    ],
    judged={
        "return (batch, None if steps is None else steps + 1, dim) -> return (batch, None if (steps is None) and False else steps + 1, dim)": "a test is missing, of images of unknown size",
    },
)
