"""What proves the template `graph_conv`."""

from __future__ import annotations

from proofs import Proof

PROOF = Proof(
    goldens={
        "graph_conv": ["MyGraphConv"],
        "graph_conv_with_attributes": [
            "NeighbourLayer",
            *("--template=gcn", "units=16", "activation=relu", "use_bias=no"),
            *("kernel_initializer=he_normal", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    judged={
        "nodes_mask = None if mask is None else mask[0] -> nodes_mask = None if (mask is None) and False else mask[0]": "Keras gives a list here, of None for what has no mask",
        "return None if mask is None else mask[0] -> return None if (mask is None) and False else mask[0]": "Keras gives a list here, of None for what has no mask",
    },
)
