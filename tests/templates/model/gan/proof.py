"""Proof for the template `gan`."""

from __future__ import annotations

from proofs import Proof, Size

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
    judged={
        "factor = 2 ** len(self.filters) -> factor = 2 * len(self.filters)": "the same for the two filters of the tests",
        "noise = ops.zeros(shape, dtype=self.compute_dtype) -> noise = ops.zeros(shape, )": "cast where it is used",
        "noise = ops.zeros(shape, dtype=self.compute_dtype) -> noise = ops.zeros(shape, dtype=None)": "cast where it is used",
        "shape, dtype=self.compute_dtype, seed=self.seed_generator -> shape, dtype=None, seed=self.seed_generator": "cast where it is used",
        "shape, dtype=self.compute_dtype, seed=self.seed_generator -> shape, seed=self.seed_generator": "cast where it is used",
        "return self.generator(noise, training=False) -> return self.generator(noise, )": "the default outside of a training",
        "return self.generator(noise, training=False) -> return self.generator(noise, training=None)": "the default outside of a training",
        "self.build((None, *self.image_shape)) -> self.build(None)": "both networks know their inputs",
    },
)
