"""Generated files are exactly the goldens: `make goldens` renews their diffs."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from golden_texts import OUTDATED, PACKAGE, committed, examples, renew
from goldens import COMMANDS, GOLDENS, first_goldens, generate, read, written
from proofs import TARGETS, TEMPLATES, proofs
from tools.examples.verify.source import RUFF, RULES

CHECKS = {
    "black": ["black", "--check", "--line-length=88"],
    "ruff": ["ruff", *RUFF],
    "ruff_with_more_rules": ["ruff", *RUFF, f"--select={RULES}"],
}
DIFFS = {
    TEMPLATES / target / template / f"{golden}.diff"
    for target in TARGETS
    for template, proof in proofs(target).items()
    for golden in proof.goldens
}

# One has an attribute of every type; one shares only its skeleton with the example.
LONG = {"blank_with_every_type", "autoencoder_conv"}


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


def test_no_diff_is_left_over() -> None:
    assert {*TEMPLATES.rglob("*.diff")} <= DIFFS


def test_a_golden_adds_at_most_250_lines() -> None:
    lines = {diff.stem: diff.read_text("utf-8").count("\n") for diff in TEMPLATES.rglob("*.diff")}
    assert {name for name, number in lines.items() if number > 250} == LONG


@pytest.fixture
def diffs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folders with the diffs of layers, which is used in place of them."""
    copy = shutil.copytree(TEMPLATES, tmp_path / "templates")
    monkeypatch.setattr("proofs.TEMPLATES", copy)
    return copy / "layer"


def test_new_diffs_give_the_same_text(diffs: Path) -> None:
    for diff in (diffs / "merge").glob("*.diff"):
        diff.unlink()
    texts = {name: read(GOLDENS / name) for name in proofs("layer")["merge"].goldens}
    assert list(committed()["add"]) == [OUTDATED]
    renew("layer", "merge", texts)
    assert {name: committed()[name] for name in texts} == texts
    assert {file.stem for file in (diffs / "merge").glob("*.diff")} == {*texts} - {*examples()}


def test_a_renewed_section_keeps_its_source(diffs: Path) -> None:
    diff = diffs / "merge/add.diff"
    texts = {name: read(GOLDENS / name) for name in proofs("layer")["merge"].goldens}
    other = diff.read_text("utf-8").replace("from blank/my_layer.py", "from dense/my_dense.py")
    diff.write_text(other.replace("for MyLayer", "for MyDense"), "utf-8")
    assert list(committed()["add"]) == [OUTDATED]
    renew("layer", "merge", texts)
    assert "=== my_add.py from dense/my_dense.py with MyAdd for MyDense\n" in diff.read_text(
        "utf-8"
    )
    assert committed()["add"] == texts["add"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("=== my_add.py from nothing/my_layer.py with MyAdd for MyLayer\n", "'nothing'"),
        ("=== my_add.py from blank/nothing.py with MyAdd for MyLayer\n", "'nothing.py'"),
        ("=== my_add.py from blank/my_layer.py with MyAdd for MyLayer\n-nothing\n", "-nothing"),
    ],
)
def test_a_diff_that_does_not_fit_says_so(diffs: Path, text: str, reason: str) -> None:
    (diffs / "merge/add.diff").write_text(text, "utf-8")
    found = committed()
    message = f"add.diff doesn't fit ({reason}): `make goldens` renews it"
    assert found["add"] == {OUTDATED: message}
    assert found["gated_fusion"] == read(GOLDENS / "gated_fusion")


def test_folders_are_written_once(tmp_path: Path) -> None:
    texts = {"one": {"a.py": "x = 1\n"}, "two": {"b.py": "y = 2\n"}}
    folder = written(texts, [tmp_path])
    assert {name: read(folder / name) for name in texts} == texts
    (folder / "one/a.py").unlink()
    assert written(texts, [tmp_path]) == folder
    assert read(folder / "one") == {}
    assert [*tmp_path.iterdir()] == [folder]


def test_old_folders_are_removed(tmp_path: Path) -> None:
    old, recent = (written({"one": {"a.py": text}}, [tmp_path]) for text in ("old", "recent"))
    os.utime(old, (0, 0))
    new = written({}, [tmp_path])
    assert {*tmp_path.iterdir()} == {recent, new}


def test_folders_are_elsewhere_if_a_cache_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    texts = {"one": {"a.py": "x = 1\n"}}
    assert written(texts, [file, tmp_path / "cache"]).parent == tmp_path / "cache"
    temporary = written(texts, [file])
    assert read(temporary / "one") == texts["one"]
    assert not temporary.is_relative_to(tmp_path)
