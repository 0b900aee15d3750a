"""What proves the template `projection`."""

from __future__ import annotations

from proofs import Proof

PROOF = Proof(
    goldens={
        "projection": ["MyProjection"],
        "projection_with_attributes": ["WideProjection", "output_dim=3", "gate:layer=None"],
    },
)
