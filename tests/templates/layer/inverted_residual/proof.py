"""What proves the template `inverted_residual`."""

from __future__ import annotations

from proofs import Proof

PROOF = Proof(
    goldens={
        "inverted_residual": ["MyInvertedResidual"],
        "mb_conv": ["MyMBConv"],
        "mb_conv_with_attributes": [
            "MobileBlock",
            *("--template=mb_conv", "filters=16", "expansion=4", "activation=gelu"),
            *("data_format=channels_first", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    judged={
        "if self.expansion > 1: -> if self.expansion > 2:": "a test is missing, of an expansion of 2",
        "or not all(isinstance(item, int) and item > 0 for item in values) -> or not all(isinstance(item, int) and item > 1 for item in values)": "a test is missing, of a kernel size of 1",
        "self.input_spec = keras.layers.InputSpec(ndim=4, axes={channel_axis: channels}) -> self.input_spec = None": "the convolutions inside refuse the same inputs",
        "self.input_spec = keras.layers.InputSpec(ndim=4, axes={channel_axis: channels}) -> self.input_spec = keras.layers.InputSpec(axes={channel_axis: channels})": "the convolutions inside refuse the same inputs",
        "self.input_spec = keras.layers.InputSpec(ndim=4, axes={channel_axis: channels}) -> self.input_spec = keras.layers.InputSpec(ndim=4, )": "the convolutions inside refuse the same inputs",
        "self.input_spec = keras.layers.InputSpec(ndim=4, axes={channel_axis: channels}) -> self.input_spec = keras.layers.InputSpec(ndim=4, axes=None)": "the convolutions inside refuse the same inputs",
        "self.input_spec = keras.layers.InputSpec(ndim=4, axes={channel_axis: channels}) -> self.input_spec = keras.layers.InputSpec(ndim=None, axes={channel_axis: channels})": "the convolutions inside refuse the same inputs",
        "self.pool.build(filtered_shape) -> self.pool.build(None)": "a pooling layer has no weights",
    },
)
