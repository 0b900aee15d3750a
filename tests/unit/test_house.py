"""The packages are those of docs/architecture.md, and no others."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from types import ModuleType

import pytest

import scaffold
import tools
from scaffold.conformance.registry import checks

ROOT = Path(scaffold.__file__).parents[1]
ARCHITECTURE = ROOT / "docs/architecture.md"
# Modules that run when they are imported, and the entry points.
_LEFT_OUT = ("__main__", "tools.warm.command")
_ENTRY_POINTS = {"scaffold/__init__.py", "scaffold/__main__.py"}


def test_each_package_is_described() -> None:
    described = re.findall(r"^\| `([^`]+)` \|", ARCHITECTURE.read_text(), flags=re.MULTILINE)
    packages = {"benchmarks/", "tools/", "keras_scaffold_pytest.py"}
    for path in (ROOT / "scaffold").iterdir():
        if path.is_dir() and path.name not in ("__pycache__", "templates"):
            packages.add(f"scaffold/{path.name}/")
        elif path.suffix == ".py":
            packages.add(f"scaffold/{path.name}")
    assert sorted(described) == sorted(packages - _ENTRY_POINTS)


def test_each_described_path_exists() -> None:
    text = ARCHITECTURE.read_text()
    paths = re.findall(r"`((?:scaffold|templates|generated_examples|tools)/[\w/.]*)`", text)
    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []


def packages() -> list[str]:
    found = []
    for package in (scaffold, tools):
        found.append(package.__name__)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            found += [module.name] * module.ispkg
    return found


@pytest.mark.parametrize("name", packages())
def test_no_public_name_is_that_of_a_module(name: str) -> None:
    checks()  # The families of checks depend on their import order: the registry imports them.
    package = importlib.import_module(name)
    modules = [
        module.name
        for module in pkgutil.iter_modules(package.__path__)
        if not f"{name}.{module.name}".endswith(_LEFT_OUT)
    ]
    for module in modules:
        importlib.import_module(f"{name}.{module}")
    assert [one for one in modules if not isinstance(getattr(package, one), ModuleType)] == []
    assert set(getattr(package, "__all__", ())).isdisjoint(modules)
