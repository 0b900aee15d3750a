"""What proves the template `glu`."""

from __future__ import annotations

from proofs import Proof

PROOF = Proof(
    goldens={
        "glu": ["MyGLU"],
        "swiglu": ["MySwiGLU"],
        "glu_with_attributes": [
            "GatedUnit",
            *("--template=glu", "activation=relu", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
)
