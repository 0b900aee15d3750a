"""What is generated is, to the letter, what the goldens hold, and what an expert would commit."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from goldens import generate, read
from models.proof import GOLDENS, commands, proofs
from scaffold.catalog import Catalog
from test_goldens import CHECKS


@pytest.mark.parametrize("name", commands())
def test_gives_the_golden_files(name: str, tmp_path: Path) -> None:
    files = generate(commands()[name], tmp_path / name, "--package=golden")
    assert files == read(GOLDENS / name)


def test_every_template_has_a_proof() -> None:
    assert Catalog.builtin().names("model") == sorted(proofs())
    assert sorted(path.name for path in GOLDENS.iterdir()) == sorted(commands())


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_is_what_an_expert_would_commit(check: list[str], tmp_path: Path) -> None:
    folder = shutil.copytree(GOLDENS, tmp_path / "goldens")
    result = subprocess.run(
        [sys.executable, "-m", *check, "."], cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
