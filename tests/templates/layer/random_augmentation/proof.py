"""What proves the template `random_augmentation`."""

from __future__ import annotations

from proofs import Proof

PROOF = Proof(
    goldens={
        "random_augmentation": ["MyRandomAugmentation"],
        "random_augmentation_with_attributes": [
            "PhotoJitter",
            *("--template=random_augmentation", "flip_rate=0.3", "max_value=1.0"),
            *("data_format=channels_first", "seed=7", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    judged={
        "outputs = ops.where(draws < self.flip_rate, flipped, inputs) -> outputs = ops.where(draws <= self.flip_rate, flipped, inputs)": "hardly any draw is just the rate",
    },
)
