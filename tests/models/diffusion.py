"""What proves the template `diffusion`."""

from __future__ import annotations

from models.proof import Proof, Size

PROOF = Proof(
    goldens={
        "diffusion": ["MyDiffusion"],
        "diffusion_with_attributes": [
            "TinyDDPM",
            *("image_shape=8,8,1", "filters=32", "num_blocks=6", "num_steps=200"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "diffusion",
            "image_shape=(28, 28, 1), filters=64, num_blocks=4",
            "(28, 28, 1)",
            322_689,
            "129 * 64 + (9 + 1) * 64 + 4 * (2 * (9 * 64 + 1) * 64 + 65 * 64 + 4 * 64) + 2 * 64 + "
            "9 * 64 + 1: an embedding, a convolution, four blocks, a normalization, a convolution",
        )
    ],
)
