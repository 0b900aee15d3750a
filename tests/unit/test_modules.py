from __future__ import annotations

from pathlib import Path

import pytest

from scaffold.modules import imported_as, packages_of


def packages(root: Path, *folders: str) -> None:
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / "__init__.py").touch()


@pytest.mark.parametrize(
    ("file", "name", "root"),
    [
        ("conv.py", "conv", "."),
        ("plain/conv.py", "conv", "plain"),
        ("pkg/conv.py", "pkg.conv", "."),
        ("pkg/layers/conv.py", "pkg.layers.conv", "."),
        ("pkg/layers/__init__.py", "pkg.layers", "."),
        ("a-b/conv.py", "conv", "a-b"),
        ("a-b/inner/conv.py", "inner.conv", "a-b"),
        ("a-b/__init__.py", "__init__", "a-b"),
    ],
)
def test_the_module_name_of_a_file(file: str, name: str, root: str, tmp_path: Path) -> None:
    packages(tmp_path, "pkg", "pkg/layers", "a-b", "a-b/inner")
    assert imported_as(tmp_path / file) == (name, tmp_path / root)


def test_a_missing_folder_is_in_no_package(tmp_path: Path) -> None:
    packages(tmp_path, "pkg")
    assert packages_of(tmp_path / "pkg/new") == ((), tmp_path / "pkg/new")
    assert packages_of(tmp_path / "pkg") == (("pkg",), tmp_path)
