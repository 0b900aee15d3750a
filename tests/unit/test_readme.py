"""The READMEs are correct: the files are the output of the commands, and every command runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from scaffold.generation.catalog import Catalog

ROOT = Path(__file__).parents[2]
README, CHINESE = ROOT / "README.md", ROOT / "README.zh.md"


def blocks(readme: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", readme.read_text("utf-8"), re.M | re.S)


def scaffold_lines(readme: Path) -> list[str]:
    lines = [line for block in blocks(readme, "sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("scaffold ")]


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", *shlex.split(line)]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("readme", [README, CHINESE], ids=lambda path: path.name)
def test_every_command_runs_in_order(readme: Path, tmp_path: Path) -> None:
    lines = scaffold_lines(readme)
    assert len(lines) >= 10
    for line in lines:
        assert (line, run(line, tmp_path).returncode) == (line, 0)


@pytest.mark.parametrize("readme", [README, CHINESE], ids=lambda path: path.name)
def test_the_file_shown_is_the_output_of_the_command(readme: Path, tmp_path: Path) -> None:
    (shown,) = (block for block in blocks(readme, "python") if "class CustomLayer" in block)
    (command,) = (line for line in scaffold_lines(readme) if " CustomLayer " in line)
    assert run(command, tmp_path).returncode == 0
    assert (tmp_path / "custom_layer.py").read_text("utf-8") == shown


@pytest.mark.parametrize("readme", [README, CHINESE], ids=lambda path: path.name)
def test_the_methods_shown_are_those_of_the_subclass(readme: Path, tmp_path: Path) -> None:
    (shown,) = (block for block in blocks(readme, "python") if "*args, gain" in block)
    (command,) = (line for line in scaffold_lines(readme) if " CustomConv2D " in line)
    assert run(command, tmp_path).returncode == 0
    assert (tmp_path / "custom_conv2d.py").read_text("utf-8").endswith(shown)


@pytest.mark.parametrize("readme", [README, CHINESE], ids=lambda path: path.name)
def test_the_script_shown_writes_a_class(
    readme: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (script,) = (block for block in blocks(readme, "python") if "scaffold.Project" in block)
    monkeypatch.chdir(tmp_path)
    exec(script, {})
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("planned_conv.py", "test_planned_conv.py"),
    ]
    assert capsys.readouterr().out.startswith("--- /dev/null\n+++ b/planned_conv.py\n")


def test_both_readmes_have_the_same_commands_and_headings() -> None:
    assert scaffold_lines(README) == scaffold_lines(CHINESE)
    levels = [re.findall(r"^(#+) ", path.read_text("utf-8"), re.M) for path in (README, CHINESE)]
    assert levels[0] == levels[1]


@pytest.mark.parametrize("readme", [README, CHINESE], ids=lambda path: path.name)
def test_every_template_is_named(readme: Path) -> None:
    named = re.findall(r"`(\w+)`", readme.read_text("utf-8"))
    assert set(Catalog.builtin().names("layer")) <= set(named)


@pytest.mark.parametrize("document", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/*.md")))
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text("utf-8")):
        assert (document.parent / target).exists(), target
