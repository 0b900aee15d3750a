"""What proves the template `mixture_of_experts`."""

from __future__ import annotations

from proofs import Proof

PROOF = Proof(
    goldens={
        "mixture_of_experts": ["MyMixtureOfExperts"],
        "mixture_of_experts_with_attributes": [
            "SparseMoE",
            *("num_experts=8", "intermediate_dim=32", "top_k=2", "activation=gelu"),
            *("scale:float=1.0{>0}", "label:str=mine"),
        ],
    },
    judged={
        "outputs = ops.tensordot(hidden, self.output_kernel, axes=[[-2, -1], [0, 1]]) -> outputs = ops.tensordot(hidden, self.output_kernel, )": "the two last axes and the two first are the default",
    },
)
