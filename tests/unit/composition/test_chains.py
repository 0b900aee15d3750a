"""Chains of many kinds of layers pass the tests that are generated for them.

Each is tested on one backend, in turn; with `--every-backend`, on all of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Warm
from generated_tests import assert_passes
from goldens import generate
from scaffold.conformance.backends import BACKENDS

CHAINS = {
    "AttentionNet": [
        *("Masking", "Dense:units=6", "MultiHeadAttention:num_heads=2:key_dim=3"),
        *("GlobalAveragePooling1D", "Dense:units=10"),
    ],
    "EmbeddingNet": [
        *("Embedding:input_dim=12:output_dim=4:mask_zero=true", "LSTM:units=8"),
        *("RepeatVector:n=3", "GRU:units=5", "Dense:units=10"),
    ],
    "VolumeNet": [
        *("Conv3D:filters=4:kernel_size=2", "BatchNormalization", "ReLU"),
        *("GlobalAveragePooling3D", "Dense:units=10"),
    ],
    "EncoderNet": [
        *("position_embedding:sequence_length=8", "multi_head_attention:num_heads=2:key_dim=4"),
        *("Flatten", "Dense:units=10"),
    ],
    "PixelNet": [
        *("RandomFlip", "residual_block:filters=4"),
        *("SeparableConv2D:filters=6:kernel_size=3", "UpSampling2D", "GlobalMaxPooling2D"),
        "Dense:units=10",
    ],
    "RowNet": [
        *("Conv1D:filters=6:kernel_size=3", "LayerNormalization"),
        *("gru:units=6:return_sequences=true", "Attention", "MaxPooling1D:pool_size=2"),
        *("Flatten", "Dense:units=10"),
    ],
    "TableNet": [
        *("Normalization", "Dense:units=16:activation=relu", "glu", "Dense:units=10"),
    ],
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    every = metafunc.config.getoption("--every-backend")
    cases = [
        (name, backend)
        for turn, name in enumerate(CHAINS)
        for backend in (BACKENDS if every else [BACKENDS[turn % len(BACKENDS)]])
    ]
    metafunc.parametrize(("name", "backend"), cases)


def test_passes_its_own_tests(name: str, backend: str, warm: Warm, tmp_path: Path) -> None:
    layers = [f"--layer={layer}" for layer in CHAINS[name]]
    files = generate(["model", name, *layers], tmp_path)
    test = next(file for file in files if file.startswith("test_") and file.endswith("_net.py"))
    report = tmp_path / "report.xml"
    tested = assert_passes(backend, [tmp_path / test], report, python=warm(backend))
    assert tested.tests >= 10
