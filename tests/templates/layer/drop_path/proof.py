"""What proves the template `drop_path`."""

from __future__ import annotations

from proofs import Proof

PROOF = Proof(
    goldens={
        "drop_path": ["MyDropPath"],
        "drop_path_with_attributes": [
            "StochasticDepth",
            *("rate=0.2", "seed=7", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
)
