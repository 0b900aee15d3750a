"""Proof for the template `autoencoder`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "autoencoder": ["MyAutoencoder"],
        "autoencoder_conv": ["MyConvAutoencoder"],
        "autoencoder_functional": ["FunctionalAutoencoder", "--style=functional"],
        "autoencoder_conv_functional": ["GraphConvAutoencoder", "--style=functional"],
        "autoencoder_with_attributes": [
            "SmallConvAutoencoder",
            *("latent_dim=8", "filters=8,16", "activation=gelu", "output_activation=sigmoid"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "autoencoder",
            "num_features=784, latent_dim=30, hidden_units=(1000, 500, 250)",
            "(784,)",
            2_837_314,
            "784-1000-500-250-30 and back, Hinton and Salakhutdinov's for MNIST: "
            "kernels of 2 * 1,416,500 and biases of 1,780 + 2,534",
        )
    ],
)
