"""What proves the template `gan`."""

from __future__ import annotations

from models.proof import Proof, Size

PROOF = Proof(
    goldens={
        "gan": ["MyGAN"],
        "gan_with_attributes": [
            "DigitsGAN",
            *("image_shape=8,8,1", "latent_dim=16", "filters=64,32"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "gan",
            "image_shape=(28, 28, 1), latent_dim=100, filters=(128, 64)",
            "(28, 28, 1)",
            936_770,
            "101 * 6272 + 9 * 128 * 128 + 4 * 128 + 9 * 128 * 64 + 4 * 64 + 9 * 64 + 1 for the "
            "generator, 10 * 64 + (9 * 64 + 1) * 128 + 6273 for the discriminator",
        )
    ],
)
