"""What proves the template `seq2seq`."""

from __future__ import annotations

from models.proof import Proof, Size

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
)
