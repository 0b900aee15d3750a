"""Proof for the template `multi_task`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "multi_task": ["MyMultiTask"],
        "multi_task_functional": ["FunctionalMultiTask", "--style=functional"],
        "multi_task_weighted": [
            "WeightedMultiTask",
            *("num_classes=10", "num_outputs=1", "value_weight=0.3", "dropout=0.1"),
        ],
        "multi_task_with_attributes": [
            "WideMultiTask",
            *("num_classes=2", "num_outputs=1", "encoder_units=64", "hidden_units=256,128"),
            *("activation=gelu", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "multi_task",
            "num_classes=10, num_outputs=1, encoder_units=30, hidden_units=(50,)",
            '{"left": (32,), "right": (32,)}',
            2 * (32 * 30 + 30) + 60 * 50 + 50 + 50 * 10 + 10 + 50 + 1,
            "the formula: two encoders, a layer of the trunk, two heads",
        )
    ],
    judged={
        '"loss_weights": {"label": 1.0, "value": self.value_weight}, -> "loss_weights": {"LABEL": 1.0, "value": self.value_weight},': "Keras weighs a loss by 1 where nothing else is said",
        '"loss_weights": {"label": 1.0, "value": self.value_weight}, -> "loss_weights": {"XXlabelXX": 1.0, "value": self.value_weight},': "Keras weighs a loss by 1 where nothing else is said",
    },
)
