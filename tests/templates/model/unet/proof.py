"""Proof for the template `unet`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "unet": ["MyUNet"],
        "unet_functional": ["FunctionalUNet", "--style=functional"],
        "unet_with_attributes": [
            "SmallUNet",
            *("num_classes=3", "filters=8,16", "activation=gelu", "dropout=0.1"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
        "unet_functional_with_attributes": [
            "GraphUNet",
            *("--style=functional", "image_shape=32,48,1", "num_classes=2"),
            *("filters=8,16,32", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "unet",
            "num_classes=2",
            "(None, None, 3)",
            31_037_698 + 11_776,
            "milesial's Pytorch-UNet, and the moving statistics, which PyTorch does not count",
        ),
    ],
    judged={
        'pool = keras.layers.MaxPooling2D(2, name=f"pool_{i}", **image) -> pool = keras.layers.MaxPooling2D(name=f"pool_{i}", **image)': "2 is the default",
    },
)
