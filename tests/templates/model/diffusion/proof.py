"""Proof for the template `diffusion`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "diffusion": ["MyDiffusion"],
        "diffusion_with_attributes": [
            "TinyDDPM",
            *("image_shape=8,8,1", "filters=32", "num_blocks=6", "num_steps=200"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "diffusion",
            "image_shape=(28, 28, 1), filters=64, num_blocks=4",
            "(28, 28, 1)",
            322_689,
            "129 * 64 + (9 + 1) * 64 + 4 * (2 * (9 * 64 + 1) * 64 + 65 * 64 + 4 * 64) + 2 * 64 + "
            "9 * 64 + 1: an embedding, a convolution, four blocks, a normalization, a convolution",
        )
    ],
    judged={
        "frequencies = 10_000.0 ** ( -> frequencies = 10001.0 ** (": "within the tolerance of the tests",
        "return ops.mean(losses) + sum(self.losses) -> return ops.mean(losses) - sum(self.losses)": "a test is missing, of a regularizer",
        'return {**super().get_config(), "filters": self.filters} -> return {**super().get_config(), "FILTERS": self.filters}': "a test is missing, of the config of a part alone",
        'return {**super().get_config(), "filters": self.filters} -> return {**super().get_config(), "XXfiltersXX": self.filters}': "a test is missing, of the config of a part alone",
        "self.filters = filters -> self.filters = None": "a test is missing, of the config of a part alone",
        "rng = np.random.default_rng(0) -> rng = np.random.default_rng(1)": "any seed will do",
        'self.noise_rates = np.sqrt(1 - np.array(self.alphas_cumprod)).astype("float32") -> self.noise_rates = np.sqrt(1 - np.array(self.alphas_cumprod)).astype(None)': "cast where it is used",
        'self.signal_rates = np.sqrt(self.alphas_cumprod).astype("float32") -> self.signal_rates = np.sqrt(self.alphas_cumprod).astype(None)': "cast where it is used",
        'self.test_noise = rng.normal(size=(NUM_TIMES, *image_shape)).astype("float32") -> self.test_noise = rng.normal(size=(NUM_TIMES, *image_shape)).astype(None)': "cast where it is used",
    },
)
