"""The step without a backend: the files are up to date, and clean enough to commit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.examples.build import Built
from tools.examples.listing import FOLDER
from tools.examples.verify.result import Step

# Each example is a separate project: modules in its folder are imported last.
RUFF = ("check", "--isolated", "--no-cache", "--line-length=88", "--config=src = ['*']")
# Rules that a careful project would enable.
RULES = "E,W,F,I,N,UP,B,C4,SIM,PT,RUF,D209,D210,D300,PTH,RET,ARG"
_TOOLS = {
    "black": ["black", "--check", "--quiet", "--line-length=88"],
    "ruff": ["ruff", *RUFF, f"--select={RULES}", "--output-format=concise", "--quiet"],
}


def up_to_date(built: Built, folder: Path = FOLDER) -> Step:
    """Check whether the files are those that would be generated."""
    there = folder / built.example.name
    names = [
        name
        for name, content in built.files.items()
        if not (there / name).is_file() or (there / name).read_bytes() != content
    ]
    if names:
        message = f"{', '.join(names)}: run `python -m tools.examples build {built.example.name}`"
        return Step("up-to-date", "failed", message=message)
    return Step("up-to-date", "passed")


def well_formed(built: Sequence[Built], folder: Path = FOLDER) -> dict[str, list[Step]]:
    """Return the results of black and ruff for each example, by name."""
    folders = [one.example.name for one in built]
    found: dict[str, list[Step]] = {name: [] for name in folders}
    for tool, words in _TOOLS.items():
        said = _run(words, folders, folder)
        for name in folders:
            lines = _run(words, [name], folder) if said else ""
            status: str = "failed" if lines else "passed"
            found[name].append(Step(tool, status, message=lines))  # type: ignore[arg-type]
    return found


def _run(words: Sequence[str], folders: Sequence[str], here: Path) -> str:
    """Return what the tool reports; empty if nothing."""
    ran = subprocess.run(
        [sys.executable, "-m", *words, *folders],
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    return (ran.stdout + ran.stderr).strip() or "it failed" if ran.returncode else ""
