"""What TensorFlow can't compute on a CPU without oneDNN is not run, and never a finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaffold.conformance import Outcome
from scaffold.conformance.process.session import Request, run_session

LAYERS = '''
import keras


class InOneFormat(keras.layers.Layer):
    """Convolves `channels_first`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.conv = keras.layers.Conv2D(2, 3, data_format="channels_first")

    def build(self, input_shape):
        self.conv.build(input_shape)

    def call(self, inputs):
        return self.conv(inputs)

    @classmethod
    def scaffold_cases(cls):
        return [{"input": (2, 4, 8, 8)}]


class InBothFormats(keras.layers.Conv2D):
    """Convolves in the given format."""

    @classmethod
    def scaffold_cases(cls):
        return [{"args": {"filters": 2, "kernel_size": 3}, "input": (2, 8, 8, 4)}]


class SaysSoItself(keras.layers.Layer):
    """Fails with the message of an operation, but raises the error itself."""

    def call(self, inputs):
        raise ValueError("The Conv2D op currently only supports the NHWC tensor format")

    @classmethod
    def scaffold_cases(cls):
        return [{"input": (2, 4)}]


class Dilated(keras.layers.Conv2DTranspose):
    """A transposed convolution with dilation."""

    @classmethod
    def scaffold_cases(cls):
        args = {"filters": 2, "kernel_size": 3, "dilation_rate": 2}
        return [{"args": args, "input": (2, 8, 8, 4)}]
'''
CHECKS = ("constructs", "runs", "data-format-equivalent")


@pytest.mark.parametrize(
    ("with_one_dnn", "ends"),
    [
        ("1", {"InOneFormat": "passed", "InBothFormats": "passed", "Dilated": "passed"}),
        (
            "0",
            {"InOneFormat": "not_run_here", "InBothFormats": "passed", "Dilated": "not_run_here"},
        ),
    ],
)
def test_it_is_told_apart_from_a_finding(
    here: Path, monkeypatch: pytest.MonkeyPatch, with_one_dnn: str, ends: dict[str, str]
) -> None:
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", with_one_dnn)
    (here / "layers.py").write_text(LAYERS, encoding="utf-8")
    request = Request(("layers.py",), ("tensorflow",), CHECKS)
    ended = {
        (outcome.subject.rpartition(":")[2], outcome.check): outcome
        for outcome in run_session(request)
        if isinstance(outcome, Outcome)
    }
    assert [key for key, one in ended.items() if one.status == "failed"] == [
        ("SaysSoItself", "runs")
    ]
    assert {name: ended[name, "runs"].status for name in ends} == ends
    both = ended["InBothFormats", "data-format-equivalent"]
    assert both.status == ("passed" if with_one_dnn == "1" else "not_run_here")
    assert both.reason == (
        ""
        if with_one_dnn == "1"
        else "on CPUs, TensorFlow supports this operation only with oneDNN or XLA"
    )
