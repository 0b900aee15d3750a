"""What proves the template `transformer_encoder`."""

from __future__ import annotations

from proofs import Proof

PROOF = Proof(
    goldens={
        "transformer_encoder": ["MyTransformerEncoder"],
        "transformer_encoder_with_attributes": [
            "ScaledEncoderBlock",
            *("intermediate_dim=32", "num_heads=4", "dropout=0.2", "activation=gelu"),
            *("normalize_first=yes", "seed=7", "scale:float=1.0{>0}", "label:str=mine"),
        ],
    },
    judged={
        "self.dropout, seed=seed, dtype=self.dtype_policy, name=name ) -> self.dropout, seed=seed, dtype=self.dtype_policy, )": "no weight is saved by this name",
        "self.dropout, seed=seed, dtype=self.dtype_policy, name=name -> self.dropout, seed=seed, dtype=self.dtype_policy, name=None": "no weight is saved by this name",
        'self.feed_forward_dropout = self._dropout("feed_forward_dropout", seeds[2]) -> self.feed_forward_dropout = self._dropout("FEED_FORWARD_DROPOUT", seeds[2])': "no weight is saved by this name",
        'self.feed_forward_dropout = self._dropout("feed_forward_dropout", seeds[2]) -> self.feed_forward_dropout = self._dropout("XXfeed_forward_dropoutXX", seeds[2])': "no weight is saved by this name",
        'self.feed_forward_dropout = self._dropout("feed_forward_dropout", seeds[2]) -> self.feed_forward_dropout = self._dropout(None, seeds[2])': "no weight is saved by this name",
        'self.self_attention_dropout = self._dropout("self_attention_dropout", seeds[1]) -> self.self_attention_dropout = self._dropout("SELF_ATTENTION_DROPOUT", seeds[1])': "no weight is saved by this name",
        'self.self_attention_dropout = self._dropout("self_attention_dropout", seeds[1]) -> self.self_attention_dropout = self._dropout("XXself_attention_dropoutXX", seeds[1])': "no weight is saved by this name",
        'self.self_attention_dropout = self._dropout("self_attention_dropout", seeds[1]) -> self.self_attention_dropout = self._dropout(None, seeds[1])': "no weight is saved by this name",
        "self.output_dense.build((*input_shape[:-1], self.intermediate_dim)) -> self.output_dense.build((*input_shape[:+1], self.intermediate_dim))": "a dense layer looks at the last size alone",
        "self.output_dense.build((*input_shape[:-1], self.intermediate_dim)) -> self.output_dense.build((*input_shape[:-2], self.intermediate_dim))": "a dense layer looks at the last size alone",
        "seeds = [None if self.seed is None else self.seed + i for i in range(3)] -> seeds = [None if self.seed is None else self.seed + i for i in range(4)]": "nothing takes the last one",
        "return self.feed_forward_norm(x + self._feed_forward(x, training)) -> return self.feed_forward_norm(x + self._feed_forward(x, None))": "Keras hands `training` to the layers that are called inside of a call",
    },
)
