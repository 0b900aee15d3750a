"""What proves the template `transformer_encoder`."""

from __future__ import annotations

from proofs.proof import Proof, Training

PROOF = Proof(
    goldens={
        "transformer_encoder": ["MyTransformerEncoder"],
        "transformer_encoder_with_attributes": [
            "ScaledEncoderBlock",
            *("intermediate_dim=32", "num_heads=4", "dropout=0.2", "activation=gelu"),
            *("normalize_first=yes", "seed=7", "scale:float=1.0{>0}", "label:str=mine"),
        ],
    },
    training=[
        Training(
            "transformer_encoder",
            "from my_transformer_encoder import MyTransformerEncoder\n"
            "def layers():\n"
            "    return [keras.layers.Reshape((8, 8)), keras.layers.Dense(16),\n"
            "            MyTransformerEncoder(32, num_heads=2), keras.layers.Flatten(),\n"
            "            keras.layers.Dense(64, activation='relu'), keras.layers.Dense(10)]\n",
        ),
    ],
)
