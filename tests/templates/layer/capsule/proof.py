"""What proves the template `capsule`."""

from __future__ import annotations

from proofs import Proof

PROOF = Proof(
    goldens={
        "capsule": ["MyCapsule"],
        "capsule_with_attributes": [
            "DigitCaps",
            *("num_capsules=10", "dim_capsules=16", "num_routings=2"),
            *("kernel_initializer=he_normal", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    judged={
        "logits = ops.zeros_like(votes[..., 0]) -> logits = ops.zeros_like(votes[..., 1])": "zeros of the same shape, unless a capsule has one value",
    },
)
