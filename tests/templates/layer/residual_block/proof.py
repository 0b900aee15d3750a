"""What proves the template `residual_block`."""

from __future__ import annotations

from proofs import Proof

PROOF = Proof(
    goldens={
        "residual_block": ["MyResidualBlock"],
        "residual_block_with_attributes": [
            "StageBlock",
            *("--template=residual_block", "filters=16", "kernel_size=5", "activation=gelu"),
            *("data_format=channels_first", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    judged={
        "self.input_spec = keras.layers.InputSpec(ndim=4, axes={channel_axis: channels}) -> self.input_spec = None": "the convolutions inside refuse the same inputs",
        "self.input_spec = keras.layers.InputSpec(ndim=4, axes={channel_axis: channels}) -> self.input_spec = keras.layers.InputSpec(axes={channel_axis: channels})": "the convolutions inside refuse the same inputs",
        "self.input_spec = keras.layers.InputSpec(ndim=4, axes={channel_axis: channels}) -> self.input_spec = keras.layers.InputSpec(ndim=4, )": "the convolutions inside refuse the same inputs",
        "self.input_spec = keras.layers.InputSpec(ndim=4, axes={channel_axis: channels}) -> self.input_spec = keras.layers.InputSpec(ndim=4, axes=None)": "the convolutions inside refuse the same inputs",
        "self.input_spec = keras.layers.InputSpec(ndim=4, axes={channel_axis: channels}) -> self.input_spec = keras.layers.InputSpec(ndim=None, axes={channel_axis: channels})": "the convolutions inside refuse the same inputs",
    },
)
