"""Generated models are exactly the goldens, and clean enough to commit."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from goldens import generate, read
from models.proof import GOLDENS, commands, first_goldens, proofs
from scaffold.generation.catalog import Catalog
from test_goldens import CHECKS


@pytest.mark.parametrize("name", commands())
def test_generates_the_golden_files(name: str, tmp_path: Path) -> None:
    files = generate(commands()[name], tmp_path / name, "--package=golden")
    assert files == read(GOLDENS / name)


def test_every_template_has_a_proof() -> None:
    assert Catalog.builtin().names("model") == sorted(proofs())
    assert sorted(path.name for path in GOLDENS.iterdir()) == sorted(commands())


def test_two_models_of_one_package_register_nothing_under_the_same_name() -> None:
    # The last import would win, and a saved layer would load as that of another model.
    found = Counter(
        registered
        for golden in first_goldens()
        for path in sorted((GOLDENS / golden).glob("*.py"))
        for registered in names_registered(ast.parse(path.read_text()))
    )
    assert len(found) > len(first_goldens())
    assert [name for name, times in found.items() if times > 1] == []


def names_registered(module: ast.Module) -> Iterator[str]:
    for one in module.body:
        if isinstance(one, ast.ClassDef | ast.FunctionDef):
            for call in one.decorator_list:
                if ast.unparse(call).startswith("keras.saving.register_keras_serializable("):
                    assert isinstance(call, ast.Call)
                    given = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
                    yield f"{given['package']}>{given.get('name', one.name)}"


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_black_and_ruff_find_nothing(check: list[str], tmp_path: Path) -> None:
    folder = shutil.copytree(GOLDENS, tmp_path / "goldens")
    result = subprocess.run(
        [sys.executable, "-m", *check, "."], cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
