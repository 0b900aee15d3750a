"""Generated code equals tests/goldens exactly: `make goldens` renews them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from goldens import COMMANDS, GOLDENS, generate, read
from tools.examples.verify.source import RUFF, RULES

CHECKS = {
    "black": ["black", "--check", "--line-length=88"],
    "ruff": ["ruff", *RUFF],
    "ruff_with_more_rules": ["ruff", *RUFF, f"--select={RULES}"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_gives_the_golden_files(name: str, tmp_path: Path) -> None:
    files = generate(COMMANDS[name], tmp_path / name, "--package=golden")
    assert files == read(GOLDENS / name)


def test_gives_the_same_twice_and_in_its_own_process(tmp_path: Path) -> None:
    name = "blank_with_every_type"
    once, twice = (
        generate(COMMANDS[name], tmp_path / run, "--package=golden") for run in ("once", "twice")
    )
    alone = tmp_path / "alone"
    alone.mkdir()
    words = [*COMMANDS[name], "--package=golden"]
    subprocess.run([sys.executable, "-m", "scaffold", *words], cwd=alone, check=True)
    assert once == twice == read(alone)


def test_no_golden_is_left_over() -> None:
    assert sorted(path.name for path in GOLDENS.iterdir()) == sorted(COMMANDS)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_is_what_an_expert_would_commit(check: list[str], tmp_path: Path) -> None:
    folder = shutil.copytree(GOLDENS, tmp_path / "goldens")
    result = subprocess.run(
        [sys.executable, "-m", *check, "."], cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
