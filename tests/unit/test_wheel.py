"""The wheel generates with only its requirements installed, without a backend."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

from scaffold.project import load_questions, render_project, with_defaults

ROOT = Path(__file__).parents[2]
RUN = "import sys; sys.path.insert(0, sys.argv.pop(1)); from scaffold.cli import main; main()"


def names_required(requirements: list[str] | None) -> set[str]:
    """Return the distributions that are required without extras, on this platform."""
    required = map(Requirement, requirements or [])
    return {one.name for one in required if not one.marker or one.marker.evaluate({"extra": ""})}


def copy_distribution(name: str, target: Path, seen: set[str]) -> None:
    """Copy a distribution and all its requirements, as pip would install them."""
    if name in seen:
        return
    seen.add(name)
    installed = distribution(name)
    for file in installed.files or []:
        if ".." not in file.parts:
            copy = target / file
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), copy)
    for required in names_required(installed.requires):
        copy_distribution(required, target, seen)


def test_generates_in_an_empty_environment(tmp_path: Path) -> None:
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([sys.executable, *build, "-w", tmp_path / "dist", ROOT], check=True)
    (wheel,) = (tmp_path / "dist").glob("keras_scaffold-*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    metadata = next(site.glob("*.dist-info/METADATA")).read_text()
    requirements = re.findall(r"^Requires-Dist: (.*)$", metadata, flags=re.MULTILINE)
    seen: set[str] = set()
    for name in names_required(requirements):
        copy_distribution(name, site, seen)
    assert {"black", "click", "jinja2"} <= seen
    assert not seen & {"keras", "tensorflow", "jax", "torch", "numpy"}

    work = tmp_path / "work"
    work.mkdir()
    subprocess.run([sys.executable, "-m", "compileall", "-qq", site / "scaffold"], check=False)
    for words in (["layer", "MyConv", "filters=3"], ["project", "my_project"]):
        generated = subprocess.run(
            [sys.executable, "-I", "-S", "-c", RUN, str(site), *words],
            cwd=work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (generated.returncode, generated.stderr) == (0, "")
    names = sorted(path.name for path in work.iterdir())
    assert names == ["my_conv.py", "my_project", "test_my_conv.py"]
    folder = ROOT / "templates/project"
    questions = load_questions(folder)
    files = render_project(folder, with_defaults(questions, {"project": "my_project"}))
    assert tree_of_files(work / "my_project") == {str(path): data for path, data in files.items()}


def tree_of_files(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
