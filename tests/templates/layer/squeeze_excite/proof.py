"""What proves the template `squeeze_excite`."""

from __future__ import annotations

from proofs import Proof

PROOF = Proof(
    goldens={
        "squeeze_excite": ["MySqueezeExcite"],
        "squeeze_excite_with_attributes": [
            "ChannelScale",
            *("--template=squeeze_excite", "filters=16", "squeeze_activation=gelu"),
            *("data_format=channels_first", "gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    judged={
        'data_format=data_format, dtype=self.dtype_policy, name="pool" ) -> data_format=data_format, dtype=self.dtype_policy, )': "the pool has no weights, so that its name is seen nowhere",
        'data_format=data_format, dtype=self.dtype_policy, name="pool" -> data_format=data_format, dtype=self.dtype_policy, name="POOL"': "the pool has no weights, so that its name is seen nowhere",
        'data_format=data_format, dtype=self.dtype_policy, name="pool" -> data_format=data_format, dtype=self.dtype_policy, name="XXpoolXX"': "the pool has no weights, so that its name is seen nowhere",
        'data_format=data_format, dtype=self.dtype_policy, name="pool" -> data_format=data_format, dtype=self.dtype_policy, name=None': "the pool has no weights, so that its name is seen nowhere",
        "self.expand.build((input_shape[0], self.reduce.units)) -> self.expand.build((input_shape[1], self.reduce.units))": "a dense layer is built by the last size alone",
        "self.reduce.build((input_shape[0], self.filters)) -> self.reduce.build((input_shape[1], self.filters))": "a dense layer is built by the last size alone",
        "self.pool.build(input_shape) -> self.pool.build(None)": "pooling has nothing to build",
    },
)
