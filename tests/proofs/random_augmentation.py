"""What proves the template `random_augmentation`."""

from __future__ import annotations

from proofs.proof import Proof, Training

PROOF = Proof(
    goldens={
        "random_augmentation": ["MyRandomAugmentation"],
        "random_augmentation_with_attributes": [
            "PhotoJitter",
            *("--template=random_augmentation", "flip_rate=0.3", "max_value=1.0"),
            *("data_format=channels_first", "seed=7", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    training=[
        Training(
            "random_augmentation",
            "from my_random_augmentation import MyRandomAugmentation\n"
            "def layers():\n"
            "    return [MyRandomAugmentation(0.05, 0.05, max_value=1.0),\n"
            "            keras.layers.Conv2D(16, 3, activation='relu'),\n"
            "            keras.layers.Flatten(), keras.layers.Dense(10)]\n",
        ),
    ],
    judged={
        "outputs = ops.where(draws < self.flip_rate, mirrored, inputs) -> outputs = ops.where(draws <= self.flip_rate, mirrored, inputs)": "hardly any draw is just the rate",
    },
)
