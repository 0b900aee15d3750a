"""What proves the template `glu`."""

from __future__ import annotations

from proofs.proof import Proof, Training

PROOF = Proof(
    goldens={
        "glu": ["MyGLU"],
        "swiglu": ["MySwiGLU"],
        "glu_with_attributes": [
            "GatedUnit",
            *("--template=glu", "activation=relu", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    training=[
        Training(
            "glu",
            "from my_glu import MyGLU\n"
            "def layers():\n"
            "    return [keras.layers.Flatten(), keras.layers.Dense(128), MyGLU(),\n"
            "            keras.layers.Dense(10)]\n",
        ),
        Training(
            "swiglu",
            "from my_swi_glu import MySwiGLU\n"
            "def layers():\n"
            "    return [keras.layers.Flatten(), keras.layers.Dense(128), MySwiGLU(),\n"
            "            keras.layers.Dense(10)]\n",
        ),
    ],
)
