"""Proof for the template `rnn`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "rnn": ["MyRNN"],
        "rnn_functional": ["FunctionalGRU", "--style=functional"],
        "rnn_sequential": ["SequentialBiLSTM", "--style=sequential"],
        "rnn_forecast": ["GRUForecaster"],
        "rnn_embedding": ["EmbeddingBiLSTM", "--head=embedding"],
        "rnn_with_attributes": [
            "DeepRNN",
            *("num_classes=2", "units=32", "num_layers=3", "dropout=0.2"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "rnn",
            "num_classes=10, units=128",
            "(None, 64)",
            98_816 + 1_290,
            "the LSTM and the dense layer of Keras's guide to recurrent networks",
        ),
        Size(
            "rnn_functional",
            "num_features=64, num_classes=10, units=256",
            None,
            247_296 + 2_570,
            "the GRU of Keras's guide to recurrent networks, and 256 * 10 + 10",
        ),
    ],
    judged={
        "x = drop(recurrent(x, mask=mask, training=training), training=training) -> x = drop(recurrent(x, mask=mask, ), training=training)": "Keras hands `training` to the layers that are called inside of a call",
        "x = drop(recurrent(x, mask=mask, training=training), training=training) -> x = drop(recurrent(x, mask=mask, training=None), training=training)": "Keras hands `training` to the layers that are called inside of a call",
        "x = drop(recurrent(x, mask=mask, training=training), training=training) -> x = drop(recurrent(x, mask=mask, training=training), )": "Keras hands `training` to the layers that are called inside of a call",
    },
)
