"""What is generated is, to the letter, what tests/goldens holds: `make goldens` renews them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from goldens import COMMANDS, EXAMPLE_COMMANDS, EXAMPLES, GOLDENS, generate, read

# What a careful project would have ruff look for; the line length is black's default.
RULES = "E,W,F,I,N,UP,B,C4,SIM,PT,RUF,D209,D210,D300,PTH,RET,ARG"
# Each golden is a project of its own: what lies in its folder is imported last.
RUFF = ["check", "--isolated", "--no-cache", "--line-length=88", "--config=src = ['*']"]
CHECKS = {
    "black": ["black", "--check", "--line-length=88"],
    "ruff": ["ruff", *RUFF],
    "ruff_with_more_rules": ["ruff", *RUFF, f"--select={RULES}"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_gives_the_golden_files(name: str, tmp_path: Path) -> None:
    files = generate(COMMANDS[name], tmp_path / name, "--package=golden")
    assert files == read(GOLDENS / name)


def test_gives_the_same_twice_and_in_a_process_of_its_own(tmp_path: Path) -> None:
    name = "blank_with_every_type"
    once, twice = (
        generate(COMMANDS[name], tmp_path / run, "--package=golden") for run in ("once", "twice")
    )
    alone = tmp_path / "alone"
    alone.mkdir()
    words = [*COMMANDS[name], "--package=golden"]
    subprocess.run([sys.executable, "-m", "scaffold", *words], cwd=alone, check=True)
    assert once == twice == read(alone)


@pytest.mark.parametrize("name", EXAMPLE_COMMANDS)
def test_generated_examples_are_up_to_date(name: str) -> None:
    before = read(EXAMPLES / name)
    for command in EXAMPLE_COMMANDS[name]:
        generate(command, EXAMPLES / name, "--package=examples")
    assert read(EXAMPLES / name) == before


def test_no_golden_is_left_over() -> None:
    assert sorted(path.name for path in GOLDENS.iterdir()) == sorted(COMMANDS)
    assert sorted(path.name for path in EXAMPLES.iterdir()) == sorted(EXAMPLE_COMMANDS)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_is_what_an_expert_would_commit(check: list[str], tmp_path: Path) -> None:
    folder = shutil.copytree(GOLDENS, tmp_path / "goldens")
    result = subprocess.run(
        [sys.executable, "-m", *check, "."], cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
