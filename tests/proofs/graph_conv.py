"""What proves the template `graph_conv`."""

from __future__ import annotations

from proofs.proof import Proof, Training

PROOF = Proof(
    goldens={
        "graph_conv": ["MyGraphConv"],
        "graph_conv_with_attributes": [
            "NeighbourLayer",
            *("--template=gcn", "units=16", "activation=relu", "use_bias=no"),
            *("kernel_initializer=he_normal", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    training=[
        Training(
            "graph_conv",
            "import keras, numpy as np\n"
            "from my_graph_conv import MyGraphConv\n"
            "places = np.indices((8, 8)).reshape(2, 64)\n"
            "apart = np.abs(places[:, :, None] - places[:, None]).sum(axis=0)\n"
            "class Grid(keras.layers.Layer):\n"
            "    def __init__(self):\n"
            "        super().__init__()\n"
            "        self.conv = MyGraphConv(16, activation='relu')\n"
            "    def build(self, input_shape):\n"
            "        self.conv.build([input_shape, (None, 64, 64)])\n"
            "    def call(self, x):\n"
            "        nothing = 0 * keras.ops.sum(x, axis=(1, 2), keepdims=True)\n"
            "        return self.conv([x, nothing + (apart == 1).astype('float32')])\n"
            "def layers():\n"
            "    return [keras.layers.Reshape((64, 1)), Grid(), keras.layers.Flatten(),\n"
            "            keras.layers.Dense(10)]\n",
        ),
    ],
    judged={
        "keras.layers.InputSpec(ndim=3), -> keras.layers.InputSpec(ndim=None),": "`build` sets them anew, and Keras looks at the inputs behind it",
        "self.input_spec = [ keras.layers.InputSpec(ndim=3), keras.layers.InputSpec(ndim=3), ] -> self.input_spec = None": "`build` sets them anew, and Keras looks at the inputs behind it",
        "nodes_mask = None if mask is None else mask[0] -> nodes_mask = None if (mask is None) and False else mask[0]": "Keras gives a list here, of None for what has no mask",
        "return None if mask is None else mask[0] -> return None if (mask is None) and False else mask[0]": "Keras gives a list here, of None for what has no mask",
    },
)
