"""Proof for the template `seq2seq`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "seq2seq": ["MyTranslator"],
        "seq2seq_with_attributes": [
            "WideTranslator",
            *("source_vocabulary_size=1000", "target_vocabulary_size=1000"),
            *("hidden_dim=128", "num_heads=8", "dropout=0.2"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "seq2seq",
            "source_vocabulary_size=1, target_vocabulary_size=3, sequence_length=1,"
            " hidden_dim=512, num_layers=6, num_heads=8, intermediate_dim=2048",
            '{"source": (1,), "target": (1,)}',
            44_145_155,
            "44,140,544 of torch.nn.Transformer; 4 * 512 of a token and a position on each side,"
            " 2 * 512 of two more target tokens, and 3 * 513 of the head",
        )
    ],
    judged={
        "x, x, value_mask=inputs_mask, use_causal_mask=True, training=training -> x, x, value_mask=None, use_causal_mask=True, training=training": "the mask is handed on with the tensor",
        "x, x, value_mask=inputs_mask, use_causal_mask=True, training=training -> x, x, use_causal_mask=True, training=training": "the mask is handed on with the tensor",
        "self.output_dense.build((*inputs_shape[:-1], self.intermediate_dim)) -> self.output_dense.build((*inputs_shape[:-2], self.intermediate_dim))": "`Dense` looks at the last axis alone",
        'encoded = self.encode(ops.convert_to_tensor(source, "int32"), training=False) -> encoded = self.encode(ops.convert_to_tensor(source, "int32"), training=None)': "the default outside of a training",
        'encoded = self.encode(ops.convert_to_tensor(source, "int32"), training=False) -> encoded = self.encode(ops.convert_to_tensor(source, "int32"), )': "the default outside of a training",
        'encoded = self.encode(ops.convert_to_tensor(source, "int32"), training=False) -> encoded = self.encode(ops.convert_to_tensor(source, None), training=False)': "a source has integers already",
        'encoded = self.encode(ops.convert_to_tensor(source, "int32"), training=False) -> encoded = self.encode(ops.convert_to_tensor(source, ), training=False)': "a source has integers already",
        "logits = self.decode(tokens[:, :-1], encoded, training=False) -> logits = self.decode(tokens[:, :-1], encoded, training=None)": "the default outside of a training",
        "logits = self.decode(tokens[:, :-1], encoded, training=False) -> logits = self.decode(tokens[:, :-1], encoded, )": "the default outside of a training",
        'epsilon=1e-5, dtype=self.dtype_policy, name="decoder_norm" -> dtype=self.dtype_policy, name="decoder_norm"': "a test is missing, of the epsilon",
        'epsilon=1e-5, dtype=self.dtype_policy, name="encoder_norm" -> dtype=self.dtype_policy, name="encoder_norm"': "a test is missing, of the epsilon",
    },
)
