"""What proves the template `feed_forward`."""

from __future__ import annotations

from proofs import Proof

PROOF = Proof(
    goldens={
        "feed_forward": ["MyFeedForward"],
        "feed_forward_with_attributes": [
            "ScaledMLP",
            *("intermediate_dim=32", "activation=gelu", "dropout=0.2", "seed=7"),
            *("scale:float=1.0{>0}", "label:str=mine"),
        ],
    },
    judged={
        "self.output_dense.build((*input_shape[:-1], self.intermediate_dim)) -> self.output_dense.build((*input_shape[:+1], self.intermediate_dim))": "a dense layer looks at the last size alone",
        "self.output_dense.build((*input_shape[:-1], self.intermediate_dim)) -> self.output_dense.build((*input_shape[:-2], self.intermediate_dim))": "a dense layer looks at the last size alone",
    },
)
