"""What proves the template `drop_path`."""

from __future__ import annotations

from proofs.proof import Proof, Training

PROOF = Proof(
    goldens={
        "drop_path": ["MyDropPath"],
        "drop_path_with_attributes": [
            "StochasticDepth",
            *("rate=0.2", "seed=7", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    training=[
        Training(
            "drop_path",
            "from my_drop_path import MyDropPath\n"
            "class Block(keras.layers.Layer):\n"
            "    def __init__(self):\n"
            "        super().__init__()\n"
            "        self.dense = keras.layers.Dense(64, activation='relu')\n"
            "        self.drop_path = MyDropPath(0.2)\n"
            "    def call(self, x, training=False):\n"
            "        return x + self.drop_path(self.dense(x), training=training)\n"
            "def layers():\n"
            "    return [keras.layers.Flatten(), keras.layers.Dense(64), Block(), Block(),\n"
            "            keras.layers.Dense(10)]\n",
        ),
    ],
)
