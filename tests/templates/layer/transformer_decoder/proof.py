"""What proves the template `transformer_decoder`."""

from __future__ import annotations

from proofs import Proof

PROOF = Proof(
    goldens={
        "transformer_decoder": ["MyTransformerDecoder"],
        "cross_attention_decoder": ["MyCrossAttentionDecoder"],
        "transformer_decoder_with_attributes": [
            "ScaledDecoderBlock",
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
        'self.feed_forward_dropout = self._dropout("feed_forward_dropout", seeds[4]) -> self.feed_forward_dropout = self._dropout("FEED_FORWARD_DROPOUT", seeds[4])': "no weight is saved by this name",
        'self.feed_forward_dropout = self._dropout("feed_forward_dropout", seeds[4]) -> self.feed_forward_dropout = self._dropout("XXfeed_forward_dropoutXX", seeds[4])': "no weight is saved by this name",
        'self.feed_forward_dropout = self._dropout("feed_forward_dropout", seeds[4]) -> self.feed_forward_dropout = self._dropout(None, seeds[4])': "no weight is saved by this name",
        'self.self_attention_dropout = self._dropout("self_attention_dropout", seeds[1]) -> self.self_attention_dropout = self._dropout("SELF_ATTENTION_DROPOUT", seeds[1])': "no weight is saved by this name",
        'self.self_attention_dropout = self._dropout("self_attention_dropout", seeds[1]) -> self.self_attention_dropout = self._dropout("XXself_attention_dropoutXX", seeds[1])': "no weight is saved by this name",
        'self.self_attention_dropout = self._dropout("self_attention_dropout", seeds[1]) -> self.self_attention_dropout = self._dropout(None, seeds[1])': "no weight is saved by this name",
        "self.output_dense.build((*decoder_sequence_shape[:-1], self.intermediate_dim)) -> self.output_dense.build((*decoder_sequence_shape[:+1], self.intermediate_dim))": "a dense layer looks at the last size alone",
        "self.output_dense.build((*decoder_sequence_shape[:-1], self.intermediate_dim)) -> self.output_dense.build((*decoder_sequence_shape[:-2], self.intermediate_dim))": "a dense layer looks at the last size alone",
        "seeds = [None if self.seed is None else self.seed + i for i in range(3)] -> seeds = [None if self.seed is None else self.seed + i for i in range(4)]": "nothing takes the last one",
        "seeds = [None if self.seed is None else self.seed + i for i in range(5)] -> seeds = [None if self.seed is None else self.seed + i for i in range(6)]": "nothing takes the last one",
        '"cross_attention_dropout", seeds[3] -> "CROSS_ATTENTION_DROPOUT", seeds[3]': "no weight is saved by this name",
        '"cross_attention_dropout", seeds[3] -> "XXcross_attention_dropoutXX", seeds[3]': "no weight is saved by this name",
        '"cross_attention_dropout", seeds[3] -> None, seeds[3]': "no weight is saved by this name",
        "cache = ops.slice_update(cache, (0, 0, cache_update_index, 0, 0), new) -> cache = ops.slice_update(cache, (0, 0, cache_update_index, 0, 1), new)": "what is written fills the whole axis, and so begins at its start",
        "cache = ops.slice_update(cache, (0, 0, cache_update_index, 0, 0), new) -> cache = ops.slice_update(cache, (0, 0, cache_update_index, 1, 0), new)": "what is written fills the whole axis, and so begins at its start",
        "cache = ops.slice_update(cache, (0, 0, cache_update_index, 0, 0), new) -> cache = ops.slice_update(cache, (0, 1, cache_update_index, 0, 0), new)": "what is written fills the whole axis, and so begins at its start",
        "cache = ops.slice_update(cache, (0, 0, cache_update_index, 0, 0), new) -> cache = ops.slice_update(cache, (1, 0, cache_update_index, 0, 0), new)": "what is written fills the whole axis, and so begins at its start",
        "seen = ops.arange(ops.shape(cache)[2]) <= ops.expand_dims(steps, -1) -> seen = ops.arange(ops.shape(cache)[2]) <= ops.expand_dims(steps, +1)": "behind a single axis, 1 and -1 are the same",
        "self.input_spec = keras.layers.InputSpec(ndim=3) -> self.input_spec = None": "a test is missing, of inputs of another rank",
        "self.input_spec = keras.layers.InputSpec(ndim=3) -> self.input_spec = keras.layers.InputSpec(ndim=None)": "a test is missing, of inputs of another rank",
        "x = self.feed_forward_norm(x + self._feed_forward(x, training)) -> x = self.feed_forward_norm(x + self._feed_forward(x, None))": "Keras hands `training` to the layers that are called inside of a call",
    },
)
