"""What proves the template `spatial_dropout`.

Keras's own takes no `**kwargs`, so that the signatures differ by `trainable` alone: there is no
`DropIn` here.
"""

from __future__ import annotations

from proofs.proof import Proof, Training

PROOF = Proof(
    goldens={
        "spatial_dropout1d": ["MySpatialDropout1D"],
        "spatial_dropout2d": ["MySpatialDropout2D"],
        "spatial_dropout3d": ["MySpatialDropout3D"],
        "spatial_dropout_with_attributes": [
            "ChannelSpatialDropout",
            *("rate=0.2", "data_format=channels_first", "seed=7"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    training=[
        Training(
            "spatial_dropout1d",
            "from my_spatial_dropout1d import MySpatialDropout1D\n"
            "def layers():\n"
            "    return [keras.layers.Reshape((8, 8)), keras.layers.Dense(32),\n"
            "            MySpatialDropout1D(0.1), keras.layers.Flatten(),\n"
            "            keras.layers.Dense(64, activation='relu'), keras.layers.Dense(10)]\n",
        ),
        Training(
            "spatial_dropout2d",
            "from my_spatial_dropout2d import MySpatialDropout2D\n"
            "def layers():\n"
            "    return [keras.layers.Conv2D(32, 3, activation='relu'), MySpatialDropout2D(0.1),\n"
            "            keras.layers.Flatten(), keras.layers.Dense(10)]\n",
        ),
        Training(
            "spatial_dropout3d",
            "from my_spatial_dropout3d import MySpatialDropout3D\n"
            "def layers():\n"
            "    return [keras.layers.Reshape((2, 4, 8, 1)), keras.layers.Conv3D(32, 2),\n"
            "            MySpatialDropout3D(0.1), keras.layers.Flatten(),\n"
            "            keras.layers.Dense(64, activation='relu'), keras.layers.Dense(10)]\n",
        ),
    ],
)
