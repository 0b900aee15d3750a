"""docs/contributing-template.md works: its template, added to a copy, generates passing layers."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/contributing-template.md"
FILE = re.compile(r"^`(templates/\S+)`:\n\n```\w+\n(.*?)^```$", re.M | re.S)
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of scaffold with the template of the guide."""
    root = tmp_path_factory.mktemp("copy")
    for part in ("scaffold", "templates", "tools"):
        shutil.copytree(ROOT / part, root / part)
    for path, text in FILE.findall(GUIDE.read_text("utf-8")):
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def test_the_guide_has_every_file_of_a_template(copy: Path) -> None:
    added, dense = (
        sorted((copy / "templates/layer" / name).iterdir()) for name in ("scale", "dense")
    )
    assert [file.name for file in added] == [file.name for file in dense]


def test_the_commands_of_the_guide_run(copy: Path) -> None:
    (lines,) = COMMANDS.findall(GUIDE.read_text("utf-8"))
    for line in lines.splitlines():
        words = [sys.executable, "-m", *shlex.split(line)]
        done = subprocess.run(words, cwd=copy, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
