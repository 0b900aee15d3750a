"""What proves the template `squeeze_excite`."""

from __future__ import annotations

from proofs.proof import Proof, Training

PROOF = Proof(
    goldens={
        "squeeze_excite": ["MySqueezeExcite"],
        "squeeze_excite_with_attributes": [
            "ChannelScale",
            *("--template=squeeze_excite", "filters=16", "squeeze_activation=gelu"),
            *("data_format=channels_first", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    training=[
        Training(
            "squeeze_excite",
            "from my_squeeze_excite import MySqueezeExcite\n"
            "def layers():\n"
            "    return [keras.layers.Conv2D(16, 3, activation='relu'), MySqueezeExcite(16),\n"
            "            keras.layers.Flatten(), keras.layers.Dense(10)]\n",
        ),
    ],
)
