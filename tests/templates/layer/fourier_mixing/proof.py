"""What proves the template `fourier_mixing`."""

from __future__ import annotations

from proofs import Proof

PROOF = Proof(
    goldens={
        "fourier_mixing": ["MyFourierMixing"],
        "fourier_mixing_with_attributes": [
            "WaveMixer",
            *("--template=fnet", "norm=ortho", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
)
