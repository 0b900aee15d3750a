"""Proof for the template `vae`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "vae": ["MyVAE"],
        "vae_with_attributes": [
            "BetaVAE",
            *("image_shape=8,8,1", "latent_dim=8", "hidden_units=128,64", "kl_weight=4.0"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "vae",
            "image_shape=(28, 28, 1), latent_dim=20, hidden_units=(500,)",
            "(28, 28, 1)",
            815_824,
            "785 * 500 + 2 * (501 * 20) + 21 * 500 + 501 * 784: the MNIST network of the paper, "
            "500 hidden units, with 20 latent numbers",
        )
    ],
    judged={
        "return mean + ops.exp(log_variance / 2) * noise -> return mean - ops.exp(log_variance / 2) * noise": "the noise is the same on both sides of 0",
    },
)
