"""What proves the template `position_embedding`.

Keras has no layer of the kind, KerasHub does.
"""

from __future__ import annotations

from proofs.proof import Proof, Training


def training(golden: str, module: str, layer: str, hidden: str) -> Training:
    """The rows of an image as tokens, with their places."""
    return Training(
        golden,
        f"from {module} import {layer}\n"
        "def layers():\n"
        "    tokens = keras.Input((8, 32))\n"
        f"    placed = keras.Model(tokens, {hidden})\n"
        "    return [keras.layers.Reshape((8, 8)), keras.layers.Dense(32), placed,\n"
        "            keras.layers.Flatten(), keras.layers.Dense(64, activation='relu'),\n"
        "            keras.layers.Dense(10)]\n",
    )


PROOF = Proof(
    goldens={
        "position_embedding": ["MyPositionEmbedding"],
        "sine_position_encoding": ["MySinePositionEncoding"],
        "rotary_embedding": ["MyRotaryEmbedding"],
        "position_embedding_with_attributes": [
            "GainedPositionEmbedding",
            *("sequence_length=32", "initializer=he_normal"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    training=[
        training(
            *("position_embedding", "my_position_embedding", "MyPositionEmbedding"),
            "keras.layers.Add()([tokens, MyPositionEmbedding(8)(tokens)])",
        ),
        training(
            *("sine_position_encoding", "my_sine_position_encoding", "MySinePositionEncoding"),
            "keras.layers.Add()([tokens, MySinePositionEncoding()(tokens)])",
        ),
        training(
            *("rotary_embedding", "my_rotary_embedding", "MyRotaryEmbedding"),
            "MyRotaryEmbedding()(tokens)",
        ),
    ],
)
