"""Proof for the template `gpt`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "gpt": ["MyGPT"],
        "gpt_with_attributes": [
            "WideLanguageModel",
            *("vocabulary_size=1000", "hidden_dim=128", "num_heads=8", "dropout=0.2"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "gpt",
            "vocabulary_size=50257, hidden_dim=768, num_layers=12, num_heads=12,"
            " intermediate_dim=3072",
            "(6,)",
            124_439_808,
            "GPT-2 small, as Hugging Face counts it",
        )
    ],
    judged={
        "2, -> 3,": "a third part of the cache, which nothing reads",
        "cache = ops.slice_update(cache, (0, 0, start, 0, 0), ops.stop_gradient(new)) -> cache = ops.slice_update(cache, (0, 0, start, 0, 1), ops.stop_gradient(new))": "TensorFlow moves an update that would not fit back to 0",
        "cache = ops.slice_update(cache, (0, 0, start, 0, 0), ops.stop_gradient(new)) -> cache = ops.slice_update(cache, (0, 0, start, 1, 0), ops.stop_gradient(new))": "TensorFlow moves an update that would not fit back to 0",
        "cache = ops.slice_update(cache, (0, 0, start, 0, 0), ops.stop_gradient(new)) -> cache = ops.slice_update(cache, (0, 1, start, 0, 0), ops.stop_gradient(new))": "TensorFlow moves an update that would not fit back to 0",
        "cache = ops.slice_update(cache, (0, 0, start, 0, 0), ops.stop_gradient(new)) -> cache = ops.slice_update(cache, (1, 0, start, 0, 0), ops.stop_gradient(new))": "TensorFlow moves an update that would not fit back to 0",
        "cache, known = self.make_cache(len(tokens), last) if use_cache else None, 0 -> cache, known = self.make_cache(len(tokens), last) if (use_cache) or True else None, 0": "the text is the same with a cache and without, as a test asks; only the time differs",
        'epsilon=1e-5, dtype=self.dtype_policy, name="norm" -> dtype=self.dtype_policy, name="norm"': "a test is missing, of the epsilon",
        "logits = ops.where(logits < least, -1e9, logits) -> logits = ops.where(logits < least, -1000000001.0, logits)": "no token so unlikely is ever drawn",
        "return keras.random.categorical(logits / temperature, 1, seed=draws)[:, 0] -> return keras.random.categorical(logits / temperature, 2, seed=draws)[:, 0]": "the first of two draws is drawn as one alone is",
        'tokens = np.asarray(prompt, "int32") -> tokens = np.asarray(prompt, )': "a prompt has integers already",
        'tokens = np.asarray(prompt, "int32") -> tokens = np.asarray(prompt, None)': "a prompt has integers already",
    },
)
