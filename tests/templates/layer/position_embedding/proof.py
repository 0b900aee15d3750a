"""What proves the template `position_embedding`.

Keras has no layer of the kind, KerasHub does.
"""

from __future__ import annotations

from proofs import Proof

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
)
