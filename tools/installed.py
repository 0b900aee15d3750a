"""An environment with the wheel and its requirements alone, made offline.

The requirements are copied from this environment; pip would download them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
# What the installed command `scaffold` runs.
COMMAND = ("-I", "-c", "from scaffold.cli import entry; entry()")


def build_wheel(into: Path) -> Path:
    """Build the wheel of this source tree."""
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([sys.executable, *build, "-w", into, ROOT], check=True)
    (wheel,) = into.glob("keras_scaffold-*.whl")
    return wheel


def install(wheel: Path, home: Path) -> Path:
    """Install a wheel into a new virtual environment, and return its Python."""
    venv.create(home, symlinks=os.name != "nt")
    variables = {"base": str(home), "platbase": str(home)}
    site = Path(sysconfig.get_path("purelib", "venv", variables))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    metadata = next(site.glob("keras_scaffold-*.dist-info/METADATA")).read_text("utf-8")
    requirements = re.findall(r"^Requires-Dist: (.*)$", metadata, flags=re.MULTILINE)
    seen: set[str] = set()
    for name in _required(requirements):
        _copy(name, site, seen)
    subprocess.run([sys.executable, "-m", "compileall", "-qq", site], check=False)
    scripts = Path(sysconfig.get_path("scripts", "venv", variables))
    return scripts / Path(sys.executable).name


def _required(requirements: list[str] | None) -> set[str]:
    """Return the distributions that are required without extras, on this platform."""
    required = map(Requirement, requirements or [])
    return {one.name for one in required if not one.marker or one.marker.evaluate({"extra": ""})}


def _copy(name: str, target: Path, seen: set[str]) -> None:
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
    for required in _required(installed.requires):
        _copy(required, target, seen)
