from __future__ import annotations

from scaffold.imports import Imports


def test_sorted_in_sections() -> None:
    imports = Imports("my_pkg.my_conv")
    assert imports.add("my_pkg.my_conv", "MyConv") == ""
    assert imports.add("numpy", alias="np") == ""
    imports.add("keras", "ops")
    imports.add("keras")
    imports.add("sys")
    imports.add("json")
    imports.add("os.path", "join", "abspath")
    assert str(imports).split("\n") == [
        "import json",
        "import sys",
        "from os.path import abspath, join",
        "",
        "import keras",
        "import numpy as np",
        "from keras import ops",
        "",
        "from my_pkg.my_conv import MyConv",
    ]


def test_twice_is_once() -> None:
    imports = Imports()
    for name in ("ops", "random", "ops"):
        imports.add("keras")
        imports.add("keras", name)
    assert str(imports) == "import keras\nfrom keras import ops, random"


def test_none() -> None:
    assert str(Imports("my_conv")) == ""
