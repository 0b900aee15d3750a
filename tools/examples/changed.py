"""Finds the examples that changed since a commit: their files, or their entries in the list."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from collections.abc import Sequence

from scaffold.errors import MissingError, UsageError
from scaffold.text import shown
from tools.examples.listing import FOLDER, LISTING, Example


def changed_since(commit: str, examples: Sequence[Example]) -> list[Example]:
    """Return the examples that differ from `commit`.

    Raises:
        MissingError: If git is not installed.
        UsageError: If `commit` is not a commit of the repository that the examples are in.
    """
    before = tomllib.loads(
        _git(commit, "show", "--end-of-options", f"{commit}:./{FOLDER.as_posix()}/{LISTING}")
    )
    now = tomllib.loads((FOLDER / LISTING).read_text(encoding="utf-8"))
    listed = _git(
        commit, "diff", "--name-only", "--relative", "--end-of-options", commit, "--", str(FOLDER)
    )
    folders = {path.split("/")[1] for path in listed.splitlines()}
    return [
        example
        for example in examples
        if example.name in folders or before.get(example.name) != now[example.name]
    ]


def _git(commit: str, *words: str) -> str:
    git = shutil.which("git")
    if git is None:
        raise MissingError("--since needs git, which is not installed", fix="Install git")
    ran = subprocess.run(
        [git, *words], capture_output=True, text=True, encoding="utf-8", check=False
    )
    if ran.returncode:
        raise UsageError(
            f"--since: git can't find {FOLDER.as_posix()} at `{shown(commit)}`",
            fix="Name a commit of this repository, or omit --since to verify all examples",
        )
    return ran.stdout
