"""What proves the template `transformer_decoder`."""

from __future__ import annotations

from proofs.proof import Proof, Training

PROOF = Proof(
    goldens={
        "transformer_decoder": ["MyTransformerDecoder"],
        "cross_attention_decoder": ["MyCrossAttentionDecoder"],
        "transformer_decoder_with_attributes": [
            "ScaledDecoderBlock",
            *("intermediate_dim=32", "num_heads=4", "dropout=0.2", "activation=gelu"),
            *("normalize_first=yes", "seed=7", "scale:float=1.0{>0}", "label:str=mine"),
        ],
    },
    training=[
        Training(
            "transformer_decoder",
            "from my_transformer_decoder import MyTransformerDecoder\n"
            "def layers():\n"
            "    return [keras.layers.Reshape((8, 8)), keras.layers.Dense(16),\n"
            "            MyTransformerDecoder(32, num_heads=2), keras.layers.Flatten(),\n"
            "            keras.layers.Dense(64, activation='relu'), keras.layers.Dense(10)]\n",
        ),
        Training(
            "cross_attention_decoder",
            "from my_cross_attention_decoder import MyCrossAttentionDecoder\n"
            "def layers():\n"
            "    rows = keras.Input((8, 16))\n"
            "    decode = keras.Model(rows, MyCrossAttentionDecoder(32, num_heads=2)(rows, rows))\n"
            "    return [keras.layers.Reshape((8, 8)), keras.layers.Dense(16), decode,\n"
            "            keras.layers.Flatten(), keras.layers.Dense(64, activation='relu'),\n"
            "            keras.layers.Dense(10)]\n",
        ),
    ],
)
