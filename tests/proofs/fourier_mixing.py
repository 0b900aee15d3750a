"""What proves the template `fourier_mixing`."""

from __future__ import annotations

from proofs.proof import Proof, Training

PROOF = Proof(
    goldens={
        "fourier_mixing": ["MyFourierMixing"],
        "fourier_mixing_with_attributes": [
            "WaveMixer",
            *("--template=fnet", "norm=ortho", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    training=[
        Training(
            "fourier_mixing",
            "from my_fourier_mixing import MyFourierMixing\n"
            "def layers():\n"
            "    return [keras.layers.Reshape((8, 8)), MyFourierMixing(norm='ortho'),\n"
            "            keras.layers.Flatten(), keras.layers.Dense(32, activation='relu'),\n"
            "            keras.layers.Dense(10)]\n",
        ),
    ],
)
