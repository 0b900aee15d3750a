"""Proof for the template `tcn`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "tcn": ["MyTCN"],
        "tcn_functional": ["FunctionalTCN", "--style=functional"],
        "tcn_sequential": ["SequentialTCNForecaster", "--style=sequential"],
        "tcn_regression": ["RegressionTCN", "--head=regression"],
        "tcn_with_attributes": [
            "DeepTCN",
            *("num_classes=2", "filters=24", "kernel_size=5", "num_blocks=6", "dropout=0.2"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "tcn",
            "num_classes=10, filters=25, kernel_size=7, num_blocks=8",
            "(None, 1)",
            66_510,
            "the paper's network for sequential MNIST, about 70,000 there: with a weight "
            "normalization, 400 more",
        ),
    ],
    judged={
        "ops.take_along_axis(inputs, last[:, None, None], axis=1), axis=1 ) -> ops.take_along_axis(inputs, last[:, None, None], axis=1), )": "a test is missing, of a batch of one with a mask",
        "ops.take_along_axis(inputs, last[:, None, None], axis=1), axis=1 -> ops.take_along_axis(inputs, last[:, None, None], axis=1), axis=None": "a test is missing, of a batch of one with a mask",
        "return (input_shape[0], input_shape[-1]) -> return (input_shape[1], input_shape[-1])": "a test is missing, of the shape that the last step alone has",
    },
)
