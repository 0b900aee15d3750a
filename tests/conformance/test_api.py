"""The contract in Python and in pytest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import pytest

from scaffold.conformance import ConformanceError, check, checks, parametrize_with_checks
from scaffold.conformance.registry import find
from scaffold.errors import UsageError

GOOD = """
import keras


@keras.saving.register_keras_serializable(package="tests")
class Scale(keras.layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}
"""
BAD = GOOD.replace(', "factor": self.factor', "")
TEST = """
from scaffold.conformance import parametrize_with_checks
from {module} import Scale

IDS = ["constructs", "config-complete", "config-round-trip", "random-in-training"]


@parametrize_with_checks(
    [(Scale, {{"args": {{"factor": 3.0}}, "input": (2, 4)}})],
    only=IDS,
    expected_failures={expected},
)
def test_contract(check):
    check()
"""


@keras.saving.register_keras_serializable(package="tests")
class Forgetful(keras.layers.Layer):
    """Leaves its argument out of the config."""

    def __init__(self, factor: float = 2.0, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs: object) -> object:
        return inputs * self.factor  # type: ignore[operator]

    def get_config(self) -> dict[str, object]:
        return dict(super().get_config())


def test_a_finding_is_raised_with_its_text() -> None:
    with pytest.raises(ConformanceError) as caught:
        check(Forgetful, input=(2, 4), only=["constructs", "config-complete"])
    (outcome,) = caught.value.outcomes
    assert (outcome.check, outcome.status) == ("config-complete", "failed")
    said = [line.strip() for line in str(caught.value).splitlines()]
    page = find("config-complete")
    assert said[3] == f"failed  {page.id}: {page.title}"
    assert said[5:7] == [
        "expected  `factor` in the config",
        "got       only dtype, name, trainable",
    ]


def test_outcomes_are_those_requested() -> None:
    outcomes = check(
        Forgetful, input=(2, 4), only=["constructs", "config-round-trip"], raises=False
    )
    assert [(o.check, o.status, o.reason) for o in outcomes] == [
        ("constructs", "passed", ""),
        ("config-round-trip", "blocked", "needs config-plain-json"),
    ]


def test_an_expected_failure_that_passes_is_a_finding() -> None:
    expected = {"config-complete": "known"}
    (outcome,) = check(
        Forgetful, input=(2, 4), only=["config-complete"], expected_failures=expected
    )
    assert (outcome.status, outcome.reason) == ("expected", "known")
    with pytest.raises(ConformanceError) as caught:
        check(
            keras.layers.Dense,
            args={"units": 2},
            input=(2, 4),
            only=["config-complete"],
            expected_failures=expected,
        )
    assert caught.value.outcomes[0].findings[0].got == "none"


def test_a_tag_that_does_not_apply_is_a_finding() -> None:
    with pytest.raises(ConformanceError) as caught:
        check(
            keras.layers.Dense,
            args={"units": 2},
            input=(2, 4),
            only=["inference-repeats"],
            tags=["random-at-inference"],
        )
    assert caught.value.outcomes[0].check == "inference-repeats"


def test_a_factory_in_place_of_a_class() -> None:
    outcomes = check(
        lambda **overrides: keras.layers.Dense(3, **overrides),
        input=(2, 4),
        only=["kwargs-forwarded", "symbolic-equals-eager"],
    )
    assert [outcome.status for outcome in outcomes] == ["passed", "passed"]


UNKNOWN_WORDS: dict[str, dict[str, object]] = {
    "check `config-complet` not found. Did you mean `config-complete`?": {
        "only": ["config-complet"]
    },
    "tag `mixes-bach` not found. Did you mean `mixes-batch`?": {"tags": ["mixes-bach"]},
    "`2,x` is not an input.": {"input": "2,x"},
    "check `xyz` not found.": {"expected_failures": {"xyz": "known"}},
}


@pytest.mark.parametrize("message", UNKNOWN_WORDS)
def test_unknown_words(message: str) -> None:
    words: dict[str, Any] = {"args": {"units": 2}, "input": (2, 4), **UNKNOWN_WORDS[message]}
    with pytest.raises(UsageError) as caught:
        check(keras.layers.Dense, **words)
    assert caught.value.message == message


def test_an_instance_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        check(3)
    assert caught.value.fix == "Pass the class, or a function that returns a new instance."


def test_the_decorator_makes_a_test_of_each_check() -> None:
    mark = parametrize_with_checks([(Forgetful, {"input": (2, 4)})]).mark
    ids = [parameter.id for parameter in mark.args[1]]
    for_layers = [one.id for one in checks() if one.target != "model"]
    assert ids == [f"Forgetful-{id_}" for id_ in for_layers]


def run_pytest(folder: Path, *words: str) -> dict[str, str]:
    """Return how each test of a folder ended, in a separate pytest."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-q", "-p", "no:cacheprovider", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    rows = [line.split(" - ")[0].split(" ", 1) for line in done.stdout.splitlines()]
    known = ("PASSED", "FAILED", "ERROR", "XFAIL", "XPASS")
    return {row[1].rpartition("[")[2].rstrip("]"): row[0] for row in rows if row[0] in known}


def test_each_check_is_a_test(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "bad.py").write_text(BAD)
    expected = {"config-complete": "known"}
    for module in ("good", "bad"):
        for name, declared in (("plain", {}), ("expected", expected)):
            text = TEST.format(module=module, expected=declared)
            (tmp_path / f"test_{module}_{name}.py").write_text(text)
    ends = {
        name: run_pytest(tmp_path, f"test_{name}.py")
        for name in ("good_plain", "good_expected", "bad_plain", "bad_expected")
    }
    # `random-in-training` doesn't apply to the class, and is skipped.
    assert ends == {
        "good_plain": {
            "Scale-constructs": "PASSED",
            "Scale-config-complete": "PASSED",
            "Scale-config-round-trip": "PASSED",
        },
        "good_expected": {
            "Scale-constructs": "PASSED",
            "Scale-config-complete": "FAILED",
            "Scale-config-round-trip": "PASSED",
        },
        "bad_plain": {"Scale-constructs": "PASSED", "Scale-config-complete": "FAILED"},
        "bad_expected": {"Scale-constructs": "PASSED", "Scale-config-complete": "XFAIL"},
    }


def test_the_plugin_checks_the_files_that_pytest_is_pointed_at(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(BAD)
    (tmp_path / "train.py").write_text("raise SystemExit('not to be imported')")
    (tmp_path / "test_other.py").write_text("def test_it():\n    pass\n")
    ended = run_pytest(tmp_path, "--scaffold-check")
    assert ended.pop("test_other.py::test_it") == "PASSED"
    failed = [name for name, how in ended.items() if how == "FAILED"]
    assert [name.rpartition("::")[2] for name in failed] == ["Scale-config-complete"]
    assert sum(how == "PASSED" for how in ended.values()) > 20


def test_the_plugin_is_off_by_default(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(BAD)
    (tmp_path / "test_other.py").write_text("def test_it():\n    pass\n")
    assert run_pytest(tmp_path) == {"test_other.py::test_it": "PASSED"}
