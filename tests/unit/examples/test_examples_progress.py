"""The output for each result of `python -m tools.examples verify`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.examples.progress import Display
from tools.examples.verify import results
from tools.examples.verify.result import Result, Step
from tools.examples.verify.run import Known, Started

FACTS = {"tests": 3, "checks": 7, "metric": "accuracy", "score": 0.95, "trivial": 0.1}


def result(device: str = "cpu", **facts: object) -> Result:
    return Result("mine", "jax", device, "", (Step("train", "passed", 4.6, facts=FACTS | facts),))


def test_a_line_for_each_unit(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    display = Display(4, quiet=False)
    assert display.show(Started("mine", "jax", "tests")) is None
    source = Result("mine", "source", "cpu", "", (Step("black", "passed"),))
    late = Result("mine", "torch", "cpu", "", (Step("tests", "late", 9.0, "no end within 9 s"),))
    assert display.show(source) is source
    assert display.show(result()) == result()
    assert display.show(Known(result())) == result()
    assert display.show(late) is late
    printed = capsys.readouterr()
    line = "mine jax: proved (3 tests, 7 checks, accuracy 0.95, baseline 0.1; "
    assert printed.out.splitlines() == [
        f"[2/4] {line}5 s)",
        f"[3/4] {line}unchanged, not run again)",
        "[4/4] mine torch: tests late",
        "no end within 9 s",
    ]
    assert printed.err == ""


def test_quiet_shows_none(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    Display(1, quiet=True).show(result())
    assert capsys.readouterr().out == ""


def test_shows_the_speed_of_a_gpu_next_to_the_cpu(
    capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    display = Display(3, quiet=False)
    display.show(result("gpu", ms_per_step=0.53))
    results.keep(result())  # It did not get as far as training.
    display.show(result("gpu", ms_per_step=0.53))
    results.keep(result(ms_per_step=4.0))
    display.show(result("gpu", ms_per_step=0.53))
    *alone, beside = capsys.readouterr().out.splitlines()
    assert all(line.endswith("0.1, 0.5 ms per step; 5 s)") for line in alone)
    assert len(alone) == 2
    assert beside.endswith("0.1, 0.5 ms per step, 4.0 on the CPU; 5 s)")
