"""What proves the template `subclass`; every other base is in tests/test_base_layers.py."""

from __future__ import annotations

from proofs.proof import Proof

PROOF = Proof(
    goldens={
        "subclass": ["CustomConv2D", "--base=keras.layers.Conv2D"],
        "subclass_of_attention": [
            *("GatedAttention", "--base=keras.layers.MultiHeadAttention"),
            "gate_initializer:initializer=zeros",
        ],
        "subclass_of_elu": ["CustomELU", "--base=keras.layers.ELU", "bound:float=1.0{>0}"],
        "subclass_of_lstm": ["GatedLSTM", "--base=keras.layers.LSTM"],
        "subclass_with_defaults": [
            *("CustomConv2D", "--base=keras.layers.Conv2D", "kernel_size=3"),
            *("padding=same", "mode:enum(sum,mean)"),
        ],
        "subclass_with_attributes": [
            *("CustomDense", "--base=keras.layers.Dense", "units=64", "activation=relu"),
            *("gain:float=1.0{>0}", "mode:enum(sum,mean)=sum"),
        ],
    },
)
