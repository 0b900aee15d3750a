"""`make demo` does what it says, and skips what is already done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

NOT_AGAIN = [
    "Skipped: they already passed for these files.",
    "Skipped: the layer has not changed since the last training.",
]


def run_demo(folder: Path) -> list[str]:
    result = subprocess.run(
        [sys.executable, "-m", "tools.demo"],
        cwd=folder,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.splitlines()


def test_passes_its_threshold_and_skips_finished_steps(tmp_path: Path) -> None:
    lines = run_demo(tmp_path)
    assert not set(NOT_AGAIN) & set(lines)
    assert sorted(path.name for path in (tmp_path / "demo").glob("*.*")) == [
        *("digits.keras", "my_conv.py", "state.json", "test_my_conv.py"),
    ]
    state = json.loads((tmp_path / "demo" / "state.json").read_text())
    assert state["tested"] is True
    assert state["accuracy"] > 0.95
    assert f"Accuracy on held-out images: {state['accuracy']:.3f}" in lines
    again = run_demo(tmp_path)
    assert set(NOT_AGAIN) <= set(again)
    assert lines[-6:] == again[-6:]
