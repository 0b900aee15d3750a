"""Generated tests pass, with warnings as errors.

Each template is tested on one backend, in turn, except for examples, which `make examples`
verifies; with `--every-backend`, everything is tested on all backends.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Warm
from generated_tests import JUDGES, assert_passes, run_tests
from goldens import FOLDERS, GOLDENS, layers_of
from scaffold.conformance.backends import BACKENDS
from tools.examples.listing import load_examples


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "templates" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-backend")
        cases = [
            (backend, shard)
            for turn, backend in enumerate(BACKENDS)
            for first in range(4)
            if (shard := [n for n in FOLDERS if every or len(n) % 3 == turn][first::4])
        ]
        ids = [f"{backend}-{', '.join(shard)}" for backend, shard in cases]
        metafunc.parametrize(("backend", "templates"), cases, ids=ids)


@pytest.mark.proof(*JUDGES, "generated_examples/examples.toml", layers_of)
def test_passes_its_own_tests(
    backend: str, templates: list[str], warm: Warm, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    every = pytestconfig.getoption("--every-backend")
    proved = {} if every else load_examples()
    folders = [folder for folder in layers_of(templates) if folder.name not in proved]
    tested = assert_passes(backend, folders, tmp_path / "report.xml", python=warm(backend))
    assert tested.tests >= 10 * len(folders)


# Goldens with convolutions for which TensorFlow needs oneDNN on a CPU.
NEED_ONE_DNN = [
    *("conv1d", "conv2d_transpose", "mb_conv", "residual_block"),
    *("cnn", "mobilenet", "resnet"),
]


@pytest.mark.proof(*JUDGES, lambda name: [GOLDENS / name])
@pytest.mark.parametrize("name", NEED_ONE_DNN)
def test_passes_on_a_processor_without_one_dnn(name: str, warm: Warm, tmp_path: Path) -> None:
    python = warm("tensorflow", one_dnn="0")
    report = tmp_path / "report.xml"
    tested = assert_passes("tensorflow", [GOLDENS / name], report, python=python)
    assert tested.not_here
    assert not [name for name in tested.not_here if "compiled" in name]


# One defect each, of the kinds that layer tests miss most often.
DEFECTS = {
    "conv_key_missing_from_config": ("conv2d", '            "groups": self.groups,\n', ""),
    "conv_wrong_attribute_in_config": (
        "conv2d",
        '"strides": self.strides',
        '"strides": self.dilation_rate',
    ),
    "conv_dilation_ignored": (
        "conv2d",
        "            dilation_rate=self.dilation_rate,\n        )",
        "        )",
    ),
    "conv_bias_of_another_shape": ("conv2d", "shape=(self.filters,)", "shape=(1,)"),
    "dense_wrong_dtype": (
        "dense",
        "(input_dim, self.units),",
        "(input_dim, self.units), dtype='float32',",
    ),
    "dense_regularizer_lost": ("dense", "            regularizer=self.kernel_regularizer,\n", ""),
    "dense_activation_lost": ("dense", "outputs = self.activation(outputs)", "pass"),
    "dense_mask_lost": ("dense", "self.supports_masking = True", "pass"),
    "projection_lies_about_its_shape": (
        "projection",
        "self.output_dim)\n\n    def get_config",
        "1)\n\n    def get_config",
    ),
    "blank_is_not_registered": (
        "blank",
        '@keras.saving.register_keras_serializable(package="golden")\n',
        "",
    ),
    "every_type_constraint_unchecked": ("blank_with_every_type", "not gain > 0", "False"),
    "every_type_layer_left_to_build_itself": (
        "blank_with_every_type",
        "            self.inner.build(input_shape)\n",
        "            pass\n",
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_its_tests_notice_a_defect(name: str, warm: Warm, tmp_path: Path) -> None:
    golden, good, bad = DEFECTS[name]
    folder = tmp_path / golden
    folder.mkdir()
    for path in (GOLDENS / golden).glob("*.py"):
        source = path.read_text()
        if not path.name.startswith("test_"):
            assert good in source
            source = source.replace(good, bad)
        (folder / path.name).write_text(source)
    python = warm("tensorflow")
    code, output = run_tests("tensorflow", [folder], tmp_path / "report.xml", "-x", python=python)
    assert code == 1, output
