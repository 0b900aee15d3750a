"""Proof for the template `mixer`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "mixer": ["MyMixer"],
        "mixer_functional": ["FunctionalMixer", "--style=functional"],
        "mixer_sequential": ["SequentialMixer", "--style=sequential", "--head=none"],
        "mixer_regression": ["RegressionMixer", "--head=regression"],
        "mixer_with_attributes": [
            "SmallMixer",
            *("num_classes=2", "patch_size=4", "num_layers=3", "hidden_dim=24", "dropout=0.1"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "mixer",
            "num_classes=1000",
            "(224, 224, 3)",
            18_528_264,
            "timm's mixer_s16_224",
        ),
        Size(
            "mixer_functional",
            "image_shape=(224, 224, 3), num_classes=1000, num_layers=12, hidden_dim=768, "
            "tokens_mlp_dim=384, channels_mlp_dim=3072",
            None,
            59_880_472,
            "timm's mixer_b16_224",
        ),
    ],
    judged={},
)
