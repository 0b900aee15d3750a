"""What proves the template `standardization`."""

from __future__ import annotations

from proofs.proof import Proof, Training

PROOF = Proof(
    goldens={
        "standardization": ["MyStandardization"],
        "standardization_with_attributes": [
            "FeatureScaler",
            *("--template=standardization", "axis=1,2", "invert=yes"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    training=[
        Training(
            "standardization",
            "from my_standardization import MyStandardization\n"
            "def layers():\n"
            "    layer = MyStandardization(axis=())\n"
            "    layer.adapt(digits.train_images)\n"
            "    return [layer, keras.layers.Flatten(), keras.layers.Dense(64, 'relu'),\n"
            "            keras.layers.Dense(10)]\n",
        ),
    ],
)
