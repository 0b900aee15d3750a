"""Generated files are exactly the goldens: `make goldens` regenerates them."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from goldens import COMMANDS, GOLDENS, PACKAGE, first_goldens, generate, read
from tools.examples.verify.source import RUFF, RULES

CHECKS = {
    "black": ["black", "--check", "--line-length=88"],
    "ruff": ["ruff", *RUFF],
    "ruff_with_more_rules": ["ruff", *RUFF, f"--select={RULES}"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_generates_the_golden_files(name: str, tmp_path: Path) -> None:
    files = generate(COMMANDS[name], tmp_path / name, f"--package={PACKAGE}")
    assert files == read(GOLDENS / name)


def test_generates_the_same_twice_and_in_a_separate_process(tmp_path: Path) -> None:
    name = "blank_with_every_type"
    once, twice = (
        generate(COMMANDS[name], tmp_path / run, f"--package={PACKAGE}")
        for run in ("once", "twice")
    )
    alone = tmp_path / "alone"
    alone.mkdir()
    words = [*COMMANDS[name], f"--package={PACKAGE}"]
    subprocess.run([sys.executable, "-m", "scaffold", *words], cwd=alone, check=True)
    assert once == twice == read(alone)


def test_two_models_of_one_package_register_nothing_under_the_same_name() -> None:
    # The last import would win, and a saved layer would load as that of another model.
    found = Counter(
        registered
        for golden in first_goldens()
        for path in sorted((GOLDENS / golden).glob("*.py"))
        for registered in names_registered(ast.parse(path.read_text("utf-8")))
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


def test_no_golden_is_left_over() -> None:
    assert sorted(path.name for path in GOLDENS.iterdir()) == sorted(COMMANDS)
