"""What proves the template `vit`."""

from __future__ import annotations

from models.proof import Proof, Size

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
        '"hidden_dim": self.hidden_dim, -> "HIDDEN_DIM": self.hidden_dim,': "a test is missing, of the config of a part alone",
        '"hidden_dim": self.hidden_dim, -> "XXhidden_dimXX": self.hidden_dim,': "a test is missing, of the config of a part alone",
        '"patch_size": self.patch_size, -> "PATCH_SIZE": self.patch_size,': "a test is missing, of the config of a part alone",
        '"patch_size": self.patch_size, -> "XXpatch_sizeXX": self.patch_size,': "a test is missing, of the config of a part alone",
        "return (batch, None if steps is None else steps + 1, dim) -> return (batch, None if (steps is None) and False else steps + 1, dim)": "a test is missing, of images of unknown size",
        "steps = None if rows is None or columns is None else rows * columns -> steps = None if (rows is None or columns is None) and False else rows * columns": "a test is missing, of images of unknown size",
        "steps = None if rows is None or columns is None else rows * columns -> steps = None if rows is None and columns is None else rows * columns": "a test is missing, of images of unknown size",
    },
)
