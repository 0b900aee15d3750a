"""What proves the template `capsule`."""

from __future__ import annotations

from proofs.proof import Proof, Training

PROOF = Proof(
    goldens={
        "capsule": ["MyCapsule"],
        "capsule_with_attributes": [
            "DigitCaps",
            *("num_capsules=10", "dim_capsules=16", "num_routings=2"),
            *("kernel_initializer=he_normal", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    training=[
        Training(
            "capsule",
            "import keras\n"
            "from my_capsule import MyCapsule\n"
            "class Length(keras.layers.Layer):\n"
            "    def call(self, capsules):\n"
            "        return 10 * keras.ops.norm(capsules, axis=-1)\n"
            "def layers():\n"
            "    return [keras.layers.Conv2D(32, 3, strides=2, activation='relu'),\n"
            "            keras.layers.Reshape((36, 8)), MyCapsule(10, 8), Length()]\n",
        ),
    ],
    judged={
        "logits = ops.zeros_like(votes[..., 0]) -> logits = ops.zeros_like(votes[..., 1])": "zeros of the same shape, unless a capsule has one value",
    },
)
