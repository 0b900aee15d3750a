"""The initial layer and model of a project, generated into the project template.

`python -m tools.starter` regenerates them; `make goldens` runs it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import scaffold
from scaffold.errors import UsageError
from tools.examples.build import written

PROJECT = Path(scaffold.__file__).parents[1] / "templates/project/{{cookiecutter.project}}"
# The name of the package while the files are generated, and its placeholder in the template.
PACKAGE, PLACEHOLDER = "cookiecutter_package", "{{ cookiecutter.package }}"
COMMANDS = [
    ["layer", "SqueezeExcite", f"--into=src/{PACKAGE}/layers"],
    [
        "model",
        "DigitClassifier",
        f"--into=src/{PACKAGE}/models",
        "--no-training",
        "--layer=Conv2D:filters=32:kernel_size=3:padding=same:activation=relu",
        f"--layer=src/{PACKAGE}/layers/squeeze_excite.py:SqueezeExcite:filters=32",
        "--layer=Conv2D:filters=64:kernel_size=3:strides=2:padding=same:activation=relu",
        "--layer=Flatten",
        "--layer=Dropout:rate=0.2",
        "--layer=Dense:units=10",
    ],
]


def starter() -> Mapping[PurePosixPath, str]:
    """Return the text of each file, by its path in the template.

    Raises:
        UsageError: If a generated file contains what cookiecutter would interpret.
    """
    files = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for package in ("", "layers", "models"):
            inside = folder / "src" / PACKAGE / package
            inside.mkdir(parents=True, exist_ok=True)
            (inside / "__init__.py").touch()
        settings = f'[project]\nname = "{PACKAGE}"\n\n[tool.black]\nline-length = 100\n'
        (folder / "pyproject.toml").write_text(settings, encoding="utf-8")
        for command in COMMANDS:
            plan = written([*command, "--tests-into=tests"], folder)
            for change in plan.changes.changes:
                files[str(change.path)] = change.after.decode("utf-8")
    for path, text in files.items():
        if any(mark in text for mark in ("{{", "{%", "{#")):
            raise UsageError(f"{path} has braces", fix="Choose another layer to start with.")
    folder_of = {PACKAGE: "{{cookiecutter.package}}"}
    return {
        PurePosixPath(*(folder_of.get(part, part) for part in PurePosixPath(path).parts)): (
            text.replace(PACKAGE, PLACEHOLDER)
        )
        for path, text in files.items()
    }


def main() -> int:
    """Write the files."""
    for path, text in starter().items():
        (PROJECT / path).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
