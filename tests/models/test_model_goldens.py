"""What is generated is, to the letter, what the goldens hold, and what an expert would commit."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.proof import GOLDENS, commands, generate, proofs, read
from scaffold.catalog import Catalog

# What a careful project would have ruff look for; the line length is black's default.
RULES = "E,W,F,I,N,UP,B,C4,SIM,PT,RUF,D209,D210,D300,PTH,RET,ARG"


@pytest.mark.parametrize("name", commands())
def test_gives_the_golden_files(name: str, tmp_path: Path) -> None:
    assert generate(commands()[name], tmp_path / name) == read(GOLDENS / name)


def test_every_template_has_a_proof() -> None:
    assert Catalog.builtin().names("model") == sorted(proofs())
    assert sorted(path.name for path in GOLDENS.iterdir()) == sorted(commands())


@pytest.mark.parametrize(
    "check",
    [
        ["black", "--check", "--line-length=88"],
        ["ruff", "check", "--isolated", "--no-cache", "--line-length=88"],
        ["ruff", "check", "--isolated", "--no-cache", "--line-length=88", f"--select={RULES}"],
    ],
    ids=["black", "ruff", "ruff_with_more_rules"],
)
@pytest.mark.parametrize("name", commands())
def test_is_what_an_expert_would_commit(name: str, check: list[str], tmp_path: Path) -> None:
    folder = shutil.copytree(GOLDENS / name, tmp_path / name)
    result = subprocess.run(
        [sys.executable, "-m", *check, "."], cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
