"""What proves the template `subclass`; every other base is in tests/templates/test_base_layers.py."""

from __future__ import annotations

from proofs import Proof

PROOF = Proof(
    goldens={
        "subclass": ["CustomConv2D", "--base=keras.layers.Conv2D"],
        "subclass_of_attention_with_attributes": [
            *("GatedAttention", "--base=keras.layers.MultiHeadAttention"),
            *("dropout=0.1", "gate_initializer:initializer=zeros", "mode:enum(sum,mean)"),
        ],
        "subclass_of_lstm": ["GatedLSTM", "--base=keras.layers.LSTM"],
        "subclass_with_attributes": [
            *("CustomDense", "--base=keras.layers.Dense", "units=64", "activation=relu"),
            *("gain:float=1.0{>0}", "mode:enum(sum,mean)=sum"),
        ],
    },
)
