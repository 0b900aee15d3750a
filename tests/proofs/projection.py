"""What proves the template `projection`."""

from __future__ import annotations

from proofs.proof import Proof, Training

PROOF = Proof(
    goldens={
        "projection": ["MyProjection"],
        "projection_with_attributes": ["WideProjection", "output_dim=3", "gate:layer=None"],
    },
    training=[
        Training(
            "projection",
            "from my_projection import MyProjection\n"
            "def layers():\n"
            "    return [keras.layers.Flatten(), MyProjection(64), keras.layers.ReLU(),\n"
            "            MyProjection(10)]\n",
        ),
    ],
)
