"""The files of a project, made by cookiecutter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory


def render_project(folder: Path, answers: Mapping[str, str]) -> dict[PurePosixPath, bytes]:
    """Return what cookiecutter makes of the template in `folder`, by path relative to the project.

    It works in its own folder, reads no user settings and runs no hooks.
    """
    from cookiecutter.main import cookiecutter

    with TemporaryDirectory(prefix="scaffold-") as name:
        own = Path(name)
        settings = {key: str(own / key) for key in ("cookiecutters_dir", "replay_dir")}
        config = own / "config.yaml"
        config.write_text(json.dumps(settings, ensure_ascii=False), "utf-8")
        made = cookiecutter(
            str(folder),
            no_input=True,
            extra_context=dict(answers),
            output_dir=str(own / "made"),
            config_file=str(config),
            accept_hooks=False,
        )
        return _files(Path(made))


def _files(folder: Path) -> dict[PurePosixPath, bytes]:
    paths = {path.relative_to(folder): path for path in sorted(folder.rglob("*"))}
    # pip compiles what it installs, including the template's own files.
    return {
        PurePosixPath(relative.as_posix()): path.read_bytes()
        for relative, path in paths.items()
        if path.is_file() and "__pycache__" not in relative.parts
    }
