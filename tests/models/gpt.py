"""What proves the template `gpt`."""

from __future__ import annotations

from models.proof import Proof, Size

PROOF = Proof(
    goldens={
        "gpt": ["MyGPT"],
        "gpt_with_attributes": [
            "WideLanguageModel",
            *("vocabulary_size=1000", "hidden_dim=128", "num_heads=8", "dropout=0.2"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "gpt",
            "vocabulary_size=50257, hidden_dim=768, num_layers=12, num_heads=12,"
            " intermediate_dim=3072",
            "(6,)",
            124_439_808,
            "GPT-2 small, as Hugging Face counts it",
        )
    ],
)
